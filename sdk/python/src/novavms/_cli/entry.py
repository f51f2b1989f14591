"""Where the `novavms` program begins: says what is missing instead of failing with an import."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    try:
        import rich  # noqa: F401  # pyright: ignore[reportUnusedImport]
        import typer  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        sys.exit('The command line wants two more packages: pip install "novavms[cli]"')
    from novavms._cli.app import run

    run()
