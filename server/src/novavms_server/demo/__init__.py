"""`novavms-server demo`: the whole system on this machine, with three simulated cameras."""
