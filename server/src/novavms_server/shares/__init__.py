"""Links that show one event to whoever has them, for a while."""
