"""Pieces with no business words in them: clock, back-off, SQLite, files, logs, the machine."""
