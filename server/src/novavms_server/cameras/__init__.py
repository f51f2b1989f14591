"""Cameras: adding them (never without the check), changing them, listing them, and following their state."""
