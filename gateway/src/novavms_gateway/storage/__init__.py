"""What the gateway keeps on its disk: who it is, the clips it owes, the reports not yet acknowledged."""
