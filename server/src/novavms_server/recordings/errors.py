"""What can go wrong with recordings."""
