"""A gateway on this machine: its disk and network opened, run, and closed again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

import httpx

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.disk import SystemDisk, Threads
from novavms_gateway.kit.machine import Machine
from novavms_gateway.kit.memory import give_back
from novavms_gateway.kit.tasks import race
from novavms_gateway.live.webrtc import open_go2rtc
from novavms_gateway.settings import Settings
from novavms_gateway.station import Gateway
from novavms_gateway.storage.identity import Identity
from novavms_gateway.storage.index import IndexDamagedError
from novavms_gateway.storage.journal import Journal
from novavms_gateway.storage.opening import SystemIndexFile, open_storage
from novavms_gateway.storage.volume import Volume

log = logging.getLogger(__name__)


async def run_gateway(
    identity: Identity,
    settings: Settings,
    *,
    clock: Clock,
    version: str,
    new_backoff: Callable[[], Backoff] = Backoff,
) -> None:
    """Opens disk and network, runs until cancelled, closes them. Raises OSError, sqlite3.Error at the start."""
    file = SystemIndexFile(settings.data_dir)
    while True:
        try:
            await _run_once(identity, settings, file, clock=clock, version=version, new_backoff=new_backoff)
        except IndexDamagedError as error:
            log.error("the index is damaged: made anew from the files", extra={"facts": {"error": error}})
            await file.put_aside()
        else:
            return


async def _run_once(
    identity: Identity,
    settings: Settings,
    file: SystemIndexFile,
    *,
    clock: Clock,
    version: str,
    new_backoff: Callable[[], Backoff],
) -> None:
    async with AsyncExitStack() as stack:
        journal = await Journal.open(settings.data_dir, gateway_id=identity.gateway_id)
        stack.push_async_callback(journal.close)
        http = await stack.enter_async_context(
            httpx.AsyncClient(headers={"User-Agent": f"novavms-gateway/{version}"})
        )
        live_http = await stack.enter_async_context(
            httpx.AsyncClient(
                headers={"User-Agent": f"novavms-gateway/{version}"},
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        )
        disk, threads = SystemDisk(), Threads()
        stack.push_async_callback(threads.close)
        volume = Volume(
            settings.recordings_root, gateway_id=identity.gateway_id, disk=disk, off_loop=threads, clock=clock
        )
        index = await open_storage(file, volume, clock, gateway_id=identity.gateway_id)
        stack.push_async_callback(index.close)
        go2rtc = None
        if settings.go2rtc_url is not None:
            go2rtc = open_go2rtc(settings.go2rtc_url, identity.gateway_id)
            stack.push_async_callback(go2rtc.close)
        gateway = Gateway(
            identity=identity,
            settings=settings,
            journal=journal,
            http=http,
            live_http=live_http,
            go2rtc=go2rtc,
            machine=Machine(settings.data_dir),
            clock=clock,
            version=version,
            new_backoff=new_backoff,
            index=index,
            volume=volume,
            disk=disk,
            off_loop=threads,
        )
        await race(gateway.run(), give_back(clock, threads))
