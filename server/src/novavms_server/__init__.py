"""The NovaVMS server: REST API, tenancy, far end of the gateways, direct mode."""
