"""The soak: many cameras recorded for hours by one gateway, with things going wrong now and then. `make soak`; not part of `make bench`."""
