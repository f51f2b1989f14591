"""At start: makes the clips folder and the journal agree again after a power cut or a kill.

row recording, something playable   → salvaged, sent, and failed at the server with `gateway_restart` and what there is
row recording, of a cut            → left: the cutter does it anew
row recording, nothing              → failed with `gateway_restart`
row recorded, file gone             → failed with `internal` (I2 broken from outside: somebody removed it)
file without a row                  → removed (I1: left over from a removal cut short)
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from novavms_camera.capture import salvage_clip
from novavms_gateway.recording.clip_work import clip_facts
from novavms_gateway.recording.probe import is_whole, probe_clip
from novavms_gateway.storage.journal import ClipFacts, ClipJob, Journal, StoredClip

log = logging.getLogger(__name__)

REASON = "gateway_restart"
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


async def repair(journal: Journal) -> list[StoredClip]:
    """Run before anything records or uploads. Safe to be cut short, and to run again. Gives what the journal's disk did not
    take: for `repair_clip`, later, for it must not keep the cameras from being recorded."""
    clips = await journal.clips()
    left = [clip for clip in clips if not await repair_clip(journal, clip)]
    owned = {str(clip.job.clip_id) for clip in clips}
    for file in journal.clips_folder.iterdir():
        if file.is_file() and file.name.partition(".")[0] not in owned:
            log.warning("file without a clip removed", extra={"facts": {"file": file.name}})
            file.unlink(missing_ok=True)
    return left


async def repair_clip(journal: Journal, clip: StoredClip) -> bool:
    """One clip as it was at the start of this life. False where the disk takes nothing now."""
    try:
        if clip.state == "recording" and not clip.job.is_cut:
            await _salvage(journal, clip)
        elif clip.state == "recorded" and not journal.clip_path(clip.job.clip_id).exists():
            await journal.failed(
                clip.job.clip_id, "internal", "The clip's file is gone from the gateway's disk."
            )
    except (sqlite3.OperationalError, OSError) as error:
        log.error("clip not repaired yet", extra={"facts": {"clip": clip.job.clip_id, "error": error}})
        return False
    return True


async def _salvage(journal: Journal, clip: StoredClip) -> None:
    clip_id = clip.job.clip_id
    path = journal.clip_path(clip_id)
    facts = None
    try:
        facts = await _what_there_is(path, clip.job)
    except OSError as error:
        if error.errno in FULL:
            raise
        log.warning("salvage failed", extra={"facts": {"clip": clip_id, "error": error.strerror}})
    if facts is None:
        journal.remove_files(clip_id)
        await journal.failed(clip_id, REASON, "The gateway stopped before anything was recorded.")
    else:
        log.warning("clip salvaged", extra={"facts": {"clip": clip_id, "duration_sec": facts.duration_sec}})
        await journal.recorded(clip_id, facts)


async def _what_there_is(path: Path, job: ClipJob) -> ClipFacts | None:
    """The part file outlives the renaming, so it comes first: with it, a file at `path` may be anything."""
    part = path.with_name(f"{path.name}.part")
    if await asyncio.to_thread(part.exists):
        file = await salvage_clip(part, path, failure_reason=REASON)
        if file is None:
            return None
        facts = clip_facts(file)
        whole = is_whole(facts.duration_sec, job)
        return msgspec.structs.replace(facts, failure_reason=None) if whole else facts
    if await asyncio.to_thread(path.exists):
        return await probe_clip(path, job, failure_reason=REASON)
    return None
