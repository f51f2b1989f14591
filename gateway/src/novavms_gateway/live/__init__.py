"""Live view: from a camera's capture to the server, for as long as somebody looks."""
