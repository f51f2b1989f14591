"""When to ask again, and after how long. Pure: the transport does the waiting."""

from __future__ import annotations

import random

from novavms._request import Call
from novavms.errors import APIConnectionError, APIError, NovaVMSError, ResponseError

FIRST_SEC, MOST_SEC = 0.5, 8.0
HONOURED_SEC = 60.0
"""A Retry-After beyond this is the caller's to wait for."""
RETRIED = frozenset({408, 429, 502, 503, 504})


def backoff(attempt: int) -> float:
    """Seconds before the try after `attempt` failed ones: doubling, between half and the whole of it by chance, so that
    callers who were cut off together do not come back together."""
    return min(FIRST_SEC * (1 << min(attempt, 10)), MOST_SEC) * random.uniform(0.5, 1.0)  # noqa: S311


def pause_before_retry(
    failure: NovaVMSError, call: Call, *, attempt: int, max_retries: int, heard: bool
) -> float | None:
    """Seconds to wait, or None: the failure is the answer. `heard`: this or an earlier try may have been carried out."""
    if attempt >= max_retries or not _passing(failure, call):
        return None
    if heard and not call.repeatable:
        return None
    if isinstance(failure, APIError) and failure.retry_after is not None:
        if failure.retry_after > HONOURED_SEC:
            return None
        return max(failure.retry_after, backoff(0)) + random.uniform(0, 0.25)  # noqa: S311
    return backoff(attempt)


def _passing(failure: NovaVMSError, call: Call) -> bool:
    if isinstance(failure, APIError):
        if failure.status == 409:  # an earlier try with this key is still being carried out
            return call.keyed and failure.retry_after is not None
        return failure.status in RETRIED
    if isinstance(failure, ResponseError):
        return failure.status < 300 or failure.status in RETRIED
    return isinstance(failure, APIConnectionError)


def may_have_been_heard(failure: NovaVMSError) -> bool:
    """Could the server have carried the request out? A 429 and a 409 say that it was not; of a connection, see the transport."""
    return not (isinstance(failure, APIError) and failure.status in (409, 429))
