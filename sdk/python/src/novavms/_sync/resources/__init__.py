# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited."""
