"""/users: the people of an org, and their sessions."""
