"""Clips: ordered, recorded to disk, sent to the store, reported, removed."""
