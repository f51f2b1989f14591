"""Which tier a viewer gets: what is wished for, as far as uplink, machine and camera hold it."""

from __future__ import annotations

from typing import Final, NamedTuple

from novavms_gateway.cameras.second import SecondStream
from novavms_gateway.cameras.watch import Watch
from novavms_gateway.kit.clock import Clock
from novavms_protocol.live import Tier, TierReason

CPU_PERCENT_MAX: Final = 90.0
FIRST_HOLD_SEC: Final = 60.0
MAX_HOLD_SEC: Final = 600.0


class TierPolicy:
    """Whether one camera's main stream is too much now. After trouble it is, until there was none for a minute; where trouble
    follows soon after that, for twice as long as the last time, up to ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._why: TierReason | None = None
        self._until = 0.0
        self._hold = FIRST_HOLD_SEC

    @property
    def reason(self) -> TierReason | None:
        """Why sub takes the place of main; None: main it is."""
        return self._why if self._clock.monotonic() < self._until else None

    def trouble(self, why: TierReason) -> None:
        """Pictures were lost on the way, or the machine is at its limit: with whichever tier is sent now."""
        now = self._clock.monotonic()
        if self.reason is None:
            is_again = self._why is not None and now - self._until < self._hold
            self._hold = min(MAX_HOLD_SEC, 2 * self._hold) if is_again else FIRST_HOLD_SEC
            self._why = why
        self._until = now + self._hold


class Choice(NamedTuple):
    """What is sent. `second` is its stream; None: it is the recorded one."""

    tier: Tier
    second: SecondStream | None
    reason: TierReason | None
    """Why the tier is another than the wished one, where the wished one is not merely unreachable."""
    is_brought_down: bool = False
    """Sub in place of main, for the sake of uplink or machine."""
    is_waiting: bool = False
    """Nothing is sent: the tier comes when the camera is back."""


def choose(watch: Watch, wished: Tier, policy: TierPolicy) -> Choice:
    """What a viewer of the camera gets at this moment. A second session is opened only beside a recorded one that is online:
    what the camera refuses to that one, it need not be asked twice."""
    down = policy.reason if wished == "main" else None
    wanted: Tier = wished if down is None else "sub"
    recorded = watch.recorded_tier
    if wanted == recorded:
        return Choice(recorded, None, down, down is not None)
    second = watch.second
    if second is None or second.tier != wanted:
        return Choice(recorded, None, _for_sub(wished, "no_sub_stream"))
    if second.failure is not None:
        why: TierReason = "no_sub_stream" if second.failure == "no_profiles" else "sub_failed"
        return Choice(recorded, None, _for_sub(wished, why))
    if watch.stream.status.state != "online" and not second.is_open:
        return Choice(wanted, None, down, is_waiting=True)
    return Choice(wanted, second, down, down is not None)


def _for_sub(wished: Tier, why: TierReason) -> TierReason | None:
    return why if wished == "sub" else None
