"""What can go wrong with shared links."""

from novavms_server.kit.errors import NotFound


class LinkGone(NotFound):
    """The same for a link that never was, was revoked, ran out, or whose event was deleted."""

    sentence = "This link is not valid, or no longer. Ask whoever sent it for a new one."
