"""Recordings: the gateways' ledgers of what footage there is and why there is none, and footage on its way to who asks."""
