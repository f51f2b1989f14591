"""How long to wait before trying again: exponential ceilings, full jitter."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Ceilings double from `first_sec` to `cap_sec`; each wait is drawn evenly between nothing and the ceiling.

    Full jitter, not a wobble around the ceiling: thousands that lost one server at the same moment then come back
    spread over as long as it was away. See "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """

    def __init__(
        self, *, first_sec: float = 1.0, cap_sec: float = 60.0, draw: Callable[[], float] = random.random
    ) -> None:
        self._first_sec = first_sec
        self._cap_sec = cap_sec
        self._draw = draw
        self._attempt = 0

    def next_sec(self) -> float:
        """The next wait in seconds."""
        # The exponent is bounded, so that years of failures do not overflow a float.
        ceiling = min(self._cap_sec, self._first_sec * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return self._draw() * ceiling

    def reset(self) -> None:
        """It worked: begin again at the first ceiling."""
        self._attempt = 0

    def at_least_attempt(self, attempt: int) -> None:
        """Begin no earlier than with this ceiling: for when many are known to come back together."""
        self._attempt = max(self._attempt, attempt)
