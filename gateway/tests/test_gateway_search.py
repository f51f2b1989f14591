"""Cameras that moved: recognised by who they say they are, looked for gently, and never by trying a password on strangers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from novavms_camera.faults import CameraFault
from novavms_camera.onvif.identity import SaidIdentity, Sighting, ask_identity, reference_key
from novavms_gateway.cameras.fleet import Fleet
from novavms_gateway.cameras.recognise import PATIENCE_SEC, Recogniser, find, is_other, is_searchable
from novavms_gateway.cameras.search import Search
from novavms_gateway.kit.clock import SystemClock
from novavms_gateway.kit.machine import Machine
from novavms_gateway.settings import Settings
from novavms_protocol import CameraConfig, CameraIdentity, CameraMoved
from novavms_simcam import DEFAULT_PASSWORD, SimCam, SimCamConfig

pytestmark = pytest.mark.anyio
Running = Callable[..., AbstractAsyncContextManager[None]]
REF, MAC = "0a1b2c3d-0000-5000-8000-000000000001", "02:00:00:00:00:01"


def camera(host: str = "192.0.2.10", port: int = 80, **changed: Any) -> CameraConfig:
    identity = {"serial": "SN1", "mac": MAC, "endpoint_reference": f"urn:uuid:{REF.upper()}"}
    identity |= {name: changed.pop(name) for name in tuple(changed) if name in identity}
    plain: dict[str, Any] = {
        **{"camera_id": uuid4(), "revision": 4, "name": "Yard", "kind": "onvif", "host": host, "port": port},
        "identity": CameraIdentity(**identity),
    }
    return CameraConfig(**plain | changed)


def config_of(cam: SimCam, **changed: Any) -> CameraConfig:
    known = cam.config
    identity = CameraIdentity(serial=known.serial, mac=known.mac, endpoint_reference=known.endpoint_reference)
    login = {"username": "admin", "password": DEFAULT_PASSWORD, "allow_loopback": True, "identity": identity}
    return camera("127.0.0.1", cam.onvif_port or 0, **login | changed)


def seen(host: str, port: int = 80, reference: str | None = REF, mac: str | None = None) -> Sighting:
    return Sighting(host=host, port=port, said=SaidIdentity(endpoint_reference=reference, mac=mac))


def where(one: CameraConfig, *sightings: Sighting, others: Any = (), macs: Any = None) -> Any:
    table: dict[str, str] = macs or {}
    found = find(one, one.host, [one, *others], sightings, table.get)
    return found and (found[0].host, found[0].port, found[1])


def test_a_camera_is_found_by_its_endpoint_reference_and_by_nothing_less() -> None:
    one = camera()
    assert where(one, seen("192.0.2.77", 8000)) == ("192.0.2.77", 8000, "endpoint_reference")
    assert where(one, seen("192.0.2.77", reference="other", mac=MAC)) is None
    assert where(one, seen("192.0.2.77", reference=None, mac=MAC)) is None
    assert where(one) is None
    assert where(one, seen("192.0.2.10", 80), seen("192.0.2.77")) is None, "it is where it should be"
    assert where(one, seen("192.0.2.10", 8000)) == ("192.0.2.10", 8000, "endpoint_reference")
    assert where(one, seen("192.0.2.77", 8080), seen("192.0.2.77", 80)) == (
        "192.0.2.77",
        80,
        "endpoint_reference",
    )
    assert where(one, seen("192.0.2.77"), seen("192.0.2.78")) is None, "two that say so: neither is believed"
    assert where(one, seen("2001:db8::1"), seen("192.0.2.78")) == ("192.0.2.78", 80, "endpoint_reference")


def test_without_a_reference_a_camera_is_found_by_its_mac() -> None:
    one, elsewhere = camera(endpoint_reference=None), "192.0.2.77"
    assert where(one, seen(elsewhere, mac=MAC)) == (elsewhere, 80, "mac")
    assert where(one, seen(elsewhere, reference=None), macs={elsewhere: MAC}) == (elsewhere, 80, "mac")
    assert where(one, seen(elsewhere, mac=MAC), macs={elsewhere: "02:00:00:00:00:99"}) is None
    assert where(one, seen(elsewhere)) is None
    other = camera("192.0.2.20", mac="02:00:00:00:00:02", serial="SN2")
    assert where(one, seen(elsewhere, mac=MAC), others=[other]) is None, "it is another camera of ours"


def test_a_word_that_several_devices_share_identifies_none() -> None:
    one, elsewhere = camera(), seen("192.0.2.77")
    assert where(one, elsewhere, others=[camera("192.0.2.20", mac="02:00:00:00:00:02", serial="SN2")]) is None
    assert where(one, elsewhere, others=[camera("192.0.2.20", mac=None, serial="SN2")]) is None
    channel = camera()
    assert where(one, elsewhere, others=[channel]) == ("192.0.2.77", 80, "endpoint_reference"), "a recorder's"


def test_only_what_has_an_identity_is_looked_for() -> None:
    assert is_searchable(camera())
    assert is_searchable(camera(endpoint_reference=None))
    assert not is_searchable(camera(endpoint_reference=None, mac=None)), "a serial number needs a login"
    assert not is_searchable(camera(identity=None))
    assert not is_searchable(camera(kind="rtsp"))
    assert not is_searchable(camera(enabled=False))


def test_another_device_is_one_that_is_known_to_be_another() -> None:
    one, neighbour = camera(), camera("192.0.2.20", endpoint_reference="uuid:other", mac="02:00:00:00:00:02")

    def other(reference: str | None, mac: str | None = None) -> bool:
        return is_other(
            one, SaidIdentity(endpoint_reference=reference_key(reference), mac=mac), [one, neighbour]
        )

    assert not other(REF)
    assert not other(None, "02:00:00:00:00:02")
    assert not other("made-up-at-this-start")
    assert not other("made-up-at-this-start", MAC)
    assert other("made-up-at-this-start", "02:00:00:00:00:03")
    assert other("urn:uuid:OTHER")


async def test_a_device_that_says_nothing_is_waited_for_and_after_a_stranger_for_ever(
    manual_clock: Any,
) -> None:
    one, answers = camera(), ["nobody", "nobody", "nobody", "stranger", "nobody", "nobody", REF]

    async def ask(host: str, port: int, policy: Any) -> SaidIdentity:
        answer = answers.pop(0)
        if answer == "nobody":
            raise CameraFault("timeout", "no answer")
        return SaidIdentity(endpoint_reference=answer, mac=None if answer == REF else "02:00:00:00:00:03")

    recognise = Recogniser(ask, lambda: [one], manual_clock)
    for _ in range(2):
        with pytest.raises(CameraFault, match="timeout"):
            await recognise(one)
        manual_clock.advance(PATIENCE_SEC / 2)
    await recognise(one)
    assert not recognise.is_sure
    with pytest.raises(CameraFault, match="other_device"):
        await recognise(one)
    for _ in range(2):
        manual_clock.advance(2 * PATIENCE_SEC)
        with pytest.raises(CameraFault, match="timeout"):
            await recognise(one)
    await recognise(one)
    assert recognise.is_sure
    await recognise(camera(kind="rtsp"))
    assert answers == []


def test_the_neighbour_table_is_read(tmp_path: Path) -> None:
    table = tmp_path / "arp"
    table.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.0.2.77       0x1         0x2         02:AA:00:00:00:01     *        eth0\n"
        "192.0.2.78       0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    )
    found = [Machine.mac_at(f"192.0.2.{last}", table) for last in (77, 78, 7)]
    assert found == ["02:aa:00:00:00:01", None, None]
    assert Machine.mac_at("192.0.2.77", tmp_path / "none") is None


async def test_searches_are_gentle_over_a_simulated_day(manual_clock: Any, wait_until: Any) -> None:
    """Two cameras away, then one more: a minute, then pauses that double to ten minutes, all in one search."""
    searches: list[float] = []

    async def look(**asked: Any) -> list[Sighting]:
        searches.append(manual_clock.seconds)
        assert asked["multicast"]
        assert asked["hosts"] == ["127.0.0.1", "192.0.2.200"]
        return []

    async def nobody(source: Any, tier: Any, policy: Any) -> Any:
        raise CameraFault("unreachable", "No route to host.")

    told: list[CameraMoved] = []
    fleet = Fleet(resolve=nobody, clock=manual_clock, on_status=lambda s: None, on_removed=lambda c: None)
    search = Search(
        fleet=fleet,
        clock=manual_clock,
        settings=Settings(search_hosts=("192.0.2.200",)),
        look_around=look,
        mac_at=lambda address: None,
        on_moved=told.append,
    )
    away = [camera("127.0.0.1", port) for port in (1, 2, 3)]
    task = asyncio.ensure_future(search.run())
    try:

        async def pass_time(seconds: float) -> None:
            for _ in range(int(seconds / 5)):
                manual_clock.advance(5)
                for _ in range(4):
                    await asyncio.sleep(0)

        await fleet.reconcile(away[:2])
        await wait_until(lambda: len(fleet.statuses()) == 2)
        await pass_time(55)
        assert searches == []
        begun = manual_clock.seconds
        await pass_time(3600)
        first_hour = [at - begun for at in searches]
        assert first_hour[0] <= 30
        assert len(first_hour) <= 11
        await fleet.reconcile(away)
        await wait_until(lambda: len(fleet.statuses()) == 3)
        await pass_time(180)
        assert searches[-1] > begun + 3600, "a new one is not made to wait for ten minutes"
        await pass_time(23 * 3600)
        pauses = [after - before for before, after in pairwise(searches)]
        assert min(pauses) >= 45
        assert max(pauses) <= 10 * 60 * 1.25 + 20
        assert len(searches) <= 24 * 6 * 1.34 + 10
        assert told == []
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await fleet.stop()


@pytest.mark.slow
async def test_a_camera_at_another_port_is_told_and_not_logged_in_to(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    async with (
        SimCam(SimCamConfig(name="Mover")) as before,
        SimCam(SimCamConfig(name="Mover")) as after,
        SimCam(SimCamConfig(name="Stranger")) as stranger,
    ):
        await after.unplug()
        settings = {"search_after_sec": 1, "search_ports": (after.onvif_port, stranger.onvif_port)}
        async with gateway(**settings):
            one = config_of(before)
            await server_side.desire(one)
            await wait_until(lambda: server_side.status(one.camera_id))
            await before.unplug()
            await after.plug()
            moved = await wait_until(lambda: server_side.bodies(CameraMoved))
            assert (moved[0].host, moved[0].port, moved[0].matched_by) == (
                "127.0.0.1",
                after.onvif_port,
                "endpoint_reference",
            )
            assert (moved[0].camera_id, moved[0].revision) == (one.camera_id, 4)
            assert (after.login_attempts, stranger.login_attempts) == (0, 0)
            there = msgspec.structs.replace(one, port=after.onvif_port, revision=5)
            await server_side.desire(there)
            await wait_until(lambda: server_side.status(one.camera_id).status == "online")


@pytest.mark.slow
async def test_two_cameras_that_swapped_addresses_are_told_apart(
    gateway: Running, server_side: Any, wait_until: Any
) -> None:
    """With one password for both, as usual: neither is recorded under the other's name."""
    async with SimCam(SimCamConfig(name="Gate")) as gate, SimCam(SimCamConfig(name="Till")) as till:
        ports = {"rtsp_port": gate.rtsp_port, "onvif_port": gate.onvif_port}
        other = {"rtsp_port": till.rtsp_port, "onvif_port": till.onvif_port}
        first, second = config_of(gate, rtsp_url=gate.rtsp_url), config_of(till, rtsp_url=till.rtsp_url)
        async with gateway(search_after_sec=1):
            await server_side.desire(first, second)
            for each in (first, second):
                await wait_until(lambda each=each: server_side.status(each.camera_id))
            await gate.stop()
            await till.stop()
            async with (
                SimCam(SimCamConfig(name="Gate", **other)) as new_gate,
                SimCam(SimCamConfig(name="Till", **ports)) as new_till,
            ):
                await wait_until(
                    lambda: (
                        {b.camera_id for b in server_side.bodies(CameraMoved)}
                        == {first.camera_id, second.camera_id}
                    )
                )
                assert {b.camera_id: b.port for b in server_side.bodies(CameraMoved)} == {
                    first.camera_id: other["onvif_port"],
                    second.camera_id: ports["onvif_port"],
                }
                for each in (first, second):
                    await wait_until(
                        lambda each=each: server_side.status(each.camera_id).reason == "other_device"
                    )
                assert (new_gate.login_attempts, new_till.login_attempts) == (0, 0)
                swapped = msgspec.structs.replace(first, port=other["onvif_port"], rtsp_url=None, revision=5)
                back = msgspec.structs.replace(second, port=ports["onvif_port"], rtsp_url=None, revision=5)
                await server_side.desire(swapped, back)
                for each in (first, second):
                    await wait_until(lambda each=each: server_side.status(each.camera_id).status == "online")


@pytest.mark.slow
async def test_a_stranger_whose_video_starts_first_is_dropped_once_it_says_who_it_is(
    wait_until: Any,
) -> None:
    """Its ONVIF service is silent longer than we are patient: it is watched, until it speaks."""
    patient = ManualPatience()
    async with SimCam(SimCamConfig(name="Gate")) as gate:
        one = config_of(gate, rtsp_url=gate.rtsp_url)
        ports = {"rtsp_port": gate.rtsp_port, "onvif_port": gate.onvif_port}
    stranger = config_of(SimCam(SimCamConfig(name="Till")), enabled=False)
    fleet = Fleet(
        resolve=_resolve_now,
        clock=patient,
        on_status=lambda status: None,
        on_removed=lambda gone: None,
        ask_identity=patient.ask,
    )
    async with SimCam(SimCamConfig(name="Till", **ports)) as till:
        await fleet.reconcile([one, stranger])
        try:
            await wait_until(lambda: patient.asked >= 2)
            patient.skipped = PATIENCE_SEC
            await wait_until(lambda: fleet.find(one.camera_id).stream.status.state == "online")
            patient.speaks = True
            await wait_until(lambda: fleet.find(one.camera_id).stream.status.reason == "other_device")
            await wait_until(lambda: till.sessions == 0)
        finally:
            await fleet.stop()


class ManualPatience(SystemClock):
    """The machine's clock with waits of at most 50 ms, which can be put forward; and the question who is there."""

    def __init__(self) -> None:
        self.skipped, self.asked, self.speaks = 0.0, 0, False

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.05))

    async def ask(self, host: str, port: int, policy: Any) -> SaidIdentity:
        self.asked += 1
        if not self.speaks:
            raise CameraFault("timeout", "no answer yet")
        return await ask_identity(host, port)


async def _resolve_now(source: Any, tier: Any, policy: Any) -> Any:
    from novavms_gateway.station import _resolve

    return await _resolve(source, tier, policy)


async def test_each_login_is_made_for_the_cameras_clock_of_that_day(manual_clock: Any) -> None:
    """The offset is read before each login, by the gateway's clock: a camera that is set right meanwhile, or a gateway that
    is, finds its password still good."""
    from novavms_gateway.cameras.finder import StreamFinder
    from novavms_gateway.station import _resolve

    async with SimCam(SimCamConfig(name="Drifting")) as cam:
        cam.set_fault("clock_offset_sec", 3 * 3600)
        finder = StreamFinder(config_of(cam), partial(_resolve, now=manual_clock.now))
        assert (await finder()).url.startswith("rtsp://")
        manual_clock.advance(25 * 3600)
        cam.set_fault("clock_offset_sec", 0)
        finder.failed("refused")
        assert (await finder()).url.startswith("rtsp://")
        assert cam.stats.requests["tds:GetSystemDateAndTime"] == 2
        assert cam.login_attempts.failed == 0
