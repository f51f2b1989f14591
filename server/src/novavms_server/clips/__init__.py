"""Clips: recorded on order, brought into the store, verified, played. docs/design/clips.md tells a clip's life."""
