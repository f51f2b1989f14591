"""The asynchronous library. _sync/ is made from it by tools/sdk_python: change things here, then `make sdk`."""
