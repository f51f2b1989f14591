"""The feed: what happened in an org, row by row, in the commits that did it. Written here by every domain, read by `stream`."""
