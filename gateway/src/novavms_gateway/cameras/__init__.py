"""The cameras this gateway runs: reconciled with the server's desired state, watched, reported."""
