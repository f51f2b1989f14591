"""Made from sdk/openapi.json by tools/sdk_python; not to be edited."""
