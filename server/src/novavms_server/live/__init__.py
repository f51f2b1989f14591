"""Pictures as they come: one upstream for each camera and tier, a channel in memory, and the doors that show it."""
