"""Events: something noticed or asked for, with at most one clip."""
