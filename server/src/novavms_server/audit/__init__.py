"""Who did what, when: rows that nobody can change. Written in the transaction of the change itself."""
