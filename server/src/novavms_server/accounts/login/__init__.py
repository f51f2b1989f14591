"""/auth: logging in and out, passwords."""
