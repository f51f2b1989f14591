"""What can go wrong with clips."""

from novavms_server.kit.errors import ApiError, Conflict, Forbidden, NotFound, Unavailable


class StoreAway(Unavailable):
    """Also raised beside requests: whoever catches it tries again later."""

    sentence = "The object store is not available right now; try again."


class ClipNotReady(Conflict):
    sentence = "The clip is still being made; try again."


class NoClip(NotFound):
    sentence = "There is nothing recorded for this event."


class NoSnapshot(NotFound):
    sentence = "There is no picture of this event, or not yet."


class ClipNotWanted(NotFound):
    sentence = "This gateway has no such clip to send; forget it."


class LinkRefused(Forbidden):
    sentence = "This link is not valid, or no longer; ask for a new one."


class WrongSize(ApiError):
    status = 400
    code = "validation_error"
    sentence = "The body does not have the size that the link was made for."


class RangeNotSatisfiable(ApiError):
    status = 416
    code = "range_not_satisfiable"
    sentence = "The range lies outside the file."
