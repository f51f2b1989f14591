"""/orgs/current: the caller's own org, and the transfer of its ownership."""
