"""Token buckets: `rate` tokens a minute, at most `burst` at once."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import NamedTuple, Protocol

from novavms_server.kit.clock import Clock


class Verdict(NamedTuple):
    """What a bucket says of one request, and what its headers tell."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: int
    """Unix seconds when the bucket is full again."""
    retry_after_sec: int


class Limiter(Protocol):
    """Where buckets live: in this process, or shared between servers."""

    async def take(self, key: str) -> Verdict: ...


class LocalLimiter:
    """Buckets in this process. The longest unused are forgotten beyond `most`; a forgotten bucket is a full one."""

    def __init__(self, clock: Clock, *, rate_per_min: int, burst: int, most: int = 100_000) -> None:
        self._clock = clock
        self._per_sec = rate_per_min / 60
        self._rate = rate_per_min
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, key: str) -> Verdict:
        return self.take_now(key)

    def take_now(self, key: str) -> Verdict:
        now = self._clock.monotonic()
        tokens, at = self._buckets.get(key, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._per_sec)
        allowed = tokens >= 1 - 1e-9  # what the waiting time promised must not fail by rounding
        if allowed:
            tokens = max(0.0, tokens - 1)
        self._buckets[key] = (tokens, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        full_in = (self._burst - tokens) / self._per_sec
        retry = 0 if allowed else math.ceil((1 - tokens) / self._per_sec)
        return Verdict(
            allowed, self._rate, int(tokens), math.ceil(self._clock.now().timestamp() + full_in), retry
        )
