"""Grids: which cameras stand where on a wall, kept under a name."""
