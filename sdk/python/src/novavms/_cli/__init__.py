"""The `novavms` command line: typer and rich (the extra `cli`) on top of the library. Not part of its Python surface."""
