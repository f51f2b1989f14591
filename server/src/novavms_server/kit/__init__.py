"""What the domains stand on: no business words in here."""
