"""GET /stream: the feed, as it happens, to whoever may see it."""
