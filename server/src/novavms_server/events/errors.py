"""What can go wrong with events."""

from novavms_server.kit.errors import ApiError


class AiUnavailable(ApiError):
    """The name is the contract's."""

    status = 400
    code = "ai_unavailable"
    sentence = "The camera is not online; nothing can be recorded now."
