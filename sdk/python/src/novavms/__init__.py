"""NovaVMS for Python."""
