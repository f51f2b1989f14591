"""The NovaVMS gateway: the box on site that checks, watches and records cameras."""
