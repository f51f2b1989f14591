"""/service-accounts: programs that call the API, and their keys."""
