"""Gateway and far end in one process, under one seed: docs/design/simulation.md."""
