# Made from _async/ by tools/sdk_python; not to be edited.
"""The library for threads."""
