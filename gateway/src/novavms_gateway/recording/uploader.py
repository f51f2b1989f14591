"""Clips out: straight to the store, in parts, by addresses the server signs, for as long as it takes.

Fresh clips first: somebody looks for what was ordered within the last minutes. They do not wait for what is filled in later,
which goes beside them, the oldest first. Both share the uplink's bandwidth with footage that is being watched (`link.uplink`).

An attempt asks the server for a ticket (which parts are wanted, which are there already, where each goes) and sends
what is missing. Whatever goes wrong ends the attempt; the next one asks for a new ticket, and so goes on where this
one stopped, also after a restart. Only the server's "no such clip" ends the trying.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import BinaryIO, Final
from urllib.parse import urljoin
from uuid import UUID

import httpx
import msgspec

from novavms_gateway.kit.backoff import Backoff
from novavms_gateway.kit.clock import Clock
from novavms_gateway.kit.tasks import Tasks
from novavms_gateway.link.uplink import Uplink, Urgency
from novavms_gateway.storage.identity import Identity
from novavms_gateway.storage.journal import Journal, StoredClip

log = logging.getLogger(__name__)

CHUNK_BYTES: Final = 256 * 1024
PARTS_MAX: Final = 10_000
FRESH_SEC: Final = 300.0
"""For so long after it could have been recorded a clip is fresh."""
TIMEOUT: Final = httpx.Timeout(10.0, read=60.0, write=60.0)


class UploadPart(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of the file and where it goes. The address is a key to the store: it is never logged."""

    number: int
    url: str
    offset_bytes: int
    size_bytes: int
    method: str = "PUT"
    headers: dict[str, str] = {}
    done: bool = False

    def __repr__(self) -> str:
        return f"UploadPart({self.number})"


class UploadTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer to `POST …/clips/{clip_id}/upload`."""

    parts: list[UploadPart]
    part_bytes: int = 0


class _NotWantedError(Exception):
    """The server knows no such clip."""


class _AttemptError(Exception):
    """This attempt is over; `str` says why, without addresses."""


class Uploader:
    """`forget` removes a clip that the server no longer wants."""

    def __init__(
        self,
        *,
        journal: Journal,
        identity: Identity,
        http: httpx.AsyncClient,
        clock: Clock,
        at_once: int,
        forget: Callable[[UUID], Awaitable[None]],
        uplink: Uplink,
        new_backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._uplink = uplink
        self._journal = journal
        self._identity = identity
        self._http = http
        self._clock = clock
        self._at_once = at_once
        self._forget = forget
        self._new_backoff = new_backoff
        self._backoffs: dict[UUID, Backoff] = {}
        self._not_before: dict[UUID, float] = {}
        self._sending: dict[UUID, Urgency] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was recorded: look again."""
        self._wake.set()

    def retry_now(self) -> None:
        """The server is back: what was put off meanwhile is due, so that the oldest goes first."""
        self._not_before.clear()
        self._wake.set()

    async def run(self) -> None:
        """For ever; cancel to stop: what was not sent stays in the journal."""
        sending = Tasks()
        try:
            while True:
                self._wake.clear()
                waiting = [clip for clip in await self._journal.clips() if clip.state == "recorded"]
                for clip, urgency in self._due(waiting):
                    self._sending[clip.job.clip_id] = urgency
                    sending.start(self._send(clip))
                await self._pause(waiting)
        finally:
            await sending.end()

    def _due(self, waiting: list[StoredClip]) -> list[tuple[StoredClip, Urgency]]:
        """Those that may be tried now: of each urgency as many as there is room for, the oldest first."""
        now = self._clock.monotonic()
        free = {urgency: self._room(urgency) for urgency in Urgency}
        due: list[tuple[StoredClip, Urgency]] = []
        for clip in waiting:
            clip_id, urgency = clip.job.clip_id, self._urgency(clip)
            is_due = clip_id not in self._sending and self._not_before.get(clip_id, 0.0) <= now
            if is_due and free[urgency] > 0:
                free[urgency] -= 1
                due.append((clip, urgency))
        return sorted(due, key=lambda item: item[1])

    def _room(self, urgency: Urgency) -> int:
        """Fresh clips do not wait for the others to end; these begin only where fresh ones leave them room."""
        taken = list(self._sending.values())
        return self._at_once - (taken.count(urgency) if urgency is Urgency.NOW else len(taken))

    def _urgency(self, clip: StoredClip) -> Urgency:
        accepted_at = clip.job.accepted_at
        if accepted_at is None:
            return Urgency.LATER
        age_sec = (self._clock.now() - accepted_at).total_seconds()
        return Urgency.NOW if age_sec < FRESH_SEC + clip.job.duration_sec else Urgency.LATER

    async def _pause(self, waiting: list[StoredClip]) -> None:
        """Until something changed, or the next clip may be tried again."""
        times = [
            self._not_before[clip.job.clip_id]
            for clip in waiting
            if clip.job.clip_id in self._not_before
            and clip.job.clip_id not in self._sending
            and self._room(self._urgency(clip)) > 0
        ]
        until = min(times) - self._clock.monotonic() if times else None
        try:
            async with asyncio.timeout(None if until is None else max(0.0, until)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _send(self, clip: StoredClip) -> None:
        clip_id = clip.job.clip_id
        try:
            parts = await self._attempt(clip)
            await self._journal.uploaded(clip, part_count=parts)
            log.info("clip uploaded", extra={"facts": {"clip": clip_id, "parts": parts}})
            self._settle(clip_id)
        except _NotWantedError:
            log.info("clip no longer wanted", extra={"facts": {"clip": clip_id}})
            await self._forget(clip_id)
            self._settle(clip_id)
        except FileNotFoundError:
            log.error("clip file is gone", extra={"facts": {"clip": clip_id}})
            await self._journal.failed(
                clip_id, "internal", "The clip's file is gone from the gateway's disk."
            )
            self._settle(clip_id)
        except (_AttemptError, httpx.TransportError, OSError) as error:
            self._again_later(
                clip_id, str(error) if isinstance(error, _AttemptError) else type(error).__name__
            )
        except Exception:
            log.exception("upload failed", extra={"facts": {"clip": clip_id}})
            self._again_later(clip_id, "internal")
        finally:
            self._sending.pop(clip_id, None)
            self._wake.set()

    def _settle(self, clip_id: UUID) -> None:
        self._backoffs.pop(clip_id, None)
        self._not_before.pop(clip_id, None)

    def _again_later(self, clip_id: UUID, why: str) -> None:
        wait_sec = self._backoffs.setdefault(clip_id, self._new_backoff()).next_sec()
        self._not_before[clip_id] = self._clock.monotonic() + wait_sec
        log.warning(
            "upload interrupted",
            extra={"facts": {"clip": clip_id, "error": why, "wait_sec": round(wait_sec, 1)}},
        )

    async def _attempt(self, clip: StoredClip) -> int:
        """Sends every part that is not there yet; gives how many there are."""
        ticket = await self._ticket(clip)
        with await asyncio.to_thread(self._journal.clip_path(clip.job.clip_id).open, "rb") as file:
            for part in sorted(ticket.parts, key=lambda part: part.number):
                if not part.done:
                    await self._put(clip, file, part)
                    # Progress: a store that takes a part now and then is not one that is away.
                    self._backoffs.pop(clip.job.clip_id, None)
        return len(ticket.parts)

    async def _ticket(self, clip: StoredClip) -> UploadTicket:
        assert clip.facts is not None, "only a recorded clip is uploaded"
        gateway = f"{self._identity.server_url}/api/v1/gateways/{self._identity.gateway_id}"
        answer = await self._http.post(
            f"{gateway}/clips/{clip.job.clip_id}/upload",
            headers={"Authorization": self._identity.authorization},
            json={"size_bytes": clip.facts.size_bytes, "sha256": clip.facts.sha256},
            timeout=TIMEOUT,
        )
        if answer.status_code in (404, 410):
            raise _NotWantedError
        if not answer.is_success:
            raise _AttemptError(f"ticket refused with {answer.status_code}")
        try:
            ticket = msgspec.json.decode(answer.content, type=UploadTicket)
        except msgspec.DecodeError:
            raise _AttemptError("ticket not understood") from None
        covered = sum(part.size_bytes for part in ticket.parts)
        if covered != clip.facts.size_bytes or not 0 < len(ticket.parts) <= PARTS_MAX:
            raise _AttemptError("ticket does not cover the file")
        return ticket

    async def _put(self, clip: StoredClip, file: BinaryIO, part: UploadPart) -> None:
        answer = await self._http.request(
            part.method,
            urljoin(f"{self._identity.server_url}/", part.url),
            headers={**part.headers, "Content-Length": str(part.size_bytes)},
            content=self._stretch(file, part, self._urgency(clip)),
            timeout=TIMEOUT,
        )
        if not answer.is_success:
            raise _AttemptError(f"part {part.number} refused with {answer.status_code}")

    async def _stretch(self, file: BinaryIO, part: UploadPart, urgency: Urgency) -> AsyncIterator[bytes]:
        """The part's bytes, read in a thread: a slow card must not hold up the cameras."""
        await asyncio.to_thread(file.seek, part.offset_bytes)
        left = part.size_bytes
        while left > 0:
            size = min(left, self._uplink.piece_bytes(CHUNK_BYTES))
            chunk = await asyncio.to_thread(file.read, size)
            if not chunk:
                raise _AttemptError("the file is shorter than it was")
            await self._uplink.take(len(chunk), urgency)
            left -= len(chunk)
            yield chunk
