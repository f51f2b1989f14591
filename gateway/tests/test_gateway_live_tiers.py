"""When sub takes the place of main, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from novavms_gateway.live.tiers import TierPolicy


@pytest.fixture
def policy(manual_clock: Any) -> TierPolicy:
    return TierPolicy(manual_clock)


def back_after(policy: TierPolicy, clock: Any) -> int:
    """Seconds until main is tried again."""
    seconds = 0
    while policy.reason is not None:
        clock.advance(1)
        seconds += 1
    return seconds


def test_main_it_is_until_there_is_trouble(policy: TierPolicy, manual_clock: Any) -> None:
    assert policy.reason is None
    policy.trouble("uplink")
    assert policy.reason == "uplink"
    assert back_after(policy, manual_clock) == 60


def test_trouble_with_sub_puts_the_way_back_off_and_keeps_the_first_reason(
    policy: TierPolicy, manual_clock: Any
) -> None:
    policy.trouble("cpu")
    for _ in range(5):
        manual_clock.advance(30)
        policy.trouble("uplink")
        assert policy.reason == "cpu"
    assert back_after(policy, manual_clock) == 60


def test_each_failed_try_doubles_the_wait_up_to_ten_minutes_and_a_good_one_ends_that(
    policy: TierPolicy, manual_clock: Any
) -> None:
    waits = []
    for _ in range(6):
        policy.trouble("uplink")
        waits.append(back_after(policy, manual_clock))
        manual_clock.advance(20)
    assert waits == [60, 120, 240, 480, 600, 600]
    manual_clock.advance(600)
    policy.trouble("uplink")
    assert back_after(policy, manual_clock) == 60
