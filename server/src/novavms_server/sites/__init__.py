"""Sites: places, each with a time zone."""
