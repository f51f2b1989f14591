"""What there is of cameras' footage, and why there is none: read from what the gateways told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from novavms_server.events.when import read_span
from novavms_server.kit.errors import Forbidden, ValidationError
from novavms_server.kit.pages import Cursors
from novavms_server.kit.work import Work
from novavms_server.recordings import queries
from novavms_server.recordings.models import (
    CameraOnRecord,
    CameraSummary,
    FootageGap,
    Reason,
    Recordings,
    SiteRecordings,
)
from novavms_server.recordings.timeline import Row, Timeline, background, lay_out, percent
from novavms_server.sites.service import SiteService

NO_CAMERA: Final = "There is no such camera in your organization."
DEFAULT_RANGE: Final = timedelta(hours=24)
RANGE_MAX: Final = timedelta(days=366)
SUMMARY_MAX: Final = timedelta(days=31)
ROWS_MAX: Final = 5000
"""Of a ledger, for one answer."""
SUMMARY_ROWS: Final = 1000
"""The same for each camera of a summary."""
FRESH: Final = timedelta(seconds=90)
"""A gateway that is online tells of each moment within this time."""
NOT_COUNTED: Final = frozenset({"not_reported_yet", "no_camera"})
"""No footage is missed there: a camera that was added this morning has recorded all of its day."""


class Known(NamedTuple):
    """What is known of a camera's footage in a range."""

    camera: CameraOnRecord
    start: datetime
    end: datetime
    line: Timeline

    @property
    def fresh(self) -> list[FootageGap]:
        """What the gateway is about to tell of: it may have footage there, and is the only one who knows."""
        return [gap for gap in self.line.gaps if gap.reason == "not_reported_yet"]

    @property
    def reason(self) -> Reason | None:
        """Of the longest gap: why there is nothing, where there is nothing."""
        longest = max(self.line.gaps, key=lambda gap: gap.duration_sec, default=None)
        return None if longest is None else longest.reason


class RecordingService:
    """Stateless; made once."""

    def __init__(self, cursors: Cursors, sites: SiteService) -> None:
        self._cursors = cursors
        self._sites = sites

    async def camera(self, work: Work, camera_id: UUID) -> CameraOnRecord:
        """A camera whose footage the caller may see, deleted or not. NotFound outside the org, Forbidden outside a
        viewer's grants."""
        found: CameraOnRecord = await work.get(queries.camera(work.caller, camera_id), NO_CAMERA)
        if not work.caller.sees(found.site_id):
            raise Forbidden
        return found

    async def of_camera(
        self, work: Work, camera_id: UUID, range_from: str | None, range_to: str | None
    ) -> Recordings:
        """Two round trips: the camera with its zone, then its rows."""
        camera = await self.camera(work, camera_id)
        start, end = read_range(range_from, range_to, camera.timezone, work.now, RANGE_MAX)
        rows, next_from = await self._rows(work, camera, start, end)
        if next_from is not None:
            end = next_from
        line, as_of = told(camera, rows, start, end, work.now)
        return Recordings(
            camera_id=camera.id,
            from_=start,
            to=end,
            stream=camera.recording_stream,
            spans=line.spans,
            gaps=line.gaps,
            losses=line.losses,
            percent_covered=covered(line, start, end),
            as_of=as_of,
            next_from=next_from,
        )

    async def look(
        self,
        work: Work,
        camera_id: UUID,
        range_from: str | None,
        range_to: str | None,
        *,
        longest: timedelta,
        default: timedelta,
    ) -> Known:
        """For whoever is about to ask for the footage itself. An edge that is not given is `default` from the other."""
        camera = await self.camera(work, camera_id)
        start, end = read_range(range_from, range_to, camera.timezone, work.now, RANGE_MAX, default)
        if range_to is None:
            end = min(end, start + default)
        if end - start > longest:
            raise ValidationError.of(
                "to", f"to must be at most {longest / timedelta(hours=1):g} h after from"
            )
        return await self._known(work, camera, start, end)

    async def between(self, work: Work, camera_id: UUID, start: datetime, end: datetime) -> Known:
        """The same of an exact range."""
        return await self._known(work, await self.camera(work, camera_id), start, end)

    async def _known(self, work: Work, camera: CameraOnRecord, start: datetime, end: datetime) -> Known:
        rows, _ = await self._rows(work, camera, start, end)
        return Known(camera, start, end, told(camera, rows, start, end, work.now)[0])

    async def _rows(
        self, work: Work, camera: CameraOnRecord, start: datetime, end: datetime
    ) -> tuple[list[Row], datetime | None]:
        """The rows; and where the first begins that is too many."""
        if camera.gateway_id is None:
            query = queries.clips(work.caller, [camera.id], start, end, ROWS_MAX + 1)
        else:
            query = queries.rows(work.caller, [camera], start, end, ROWS_MAX + 1)
        rows = [row for _, row in await work.list(query)]
        if len(rows) <= ROWS_MAX:
            return rows, None
        return rows[:-1], rows[-1].start

    async def of_site(
        self,
        work: Work,
        site_id: UUID,
        range_from: str | None,
        range_to: str | None,
        cursor: str | None,
        limit: int,
    ) -> SiteRecordings:
        """NotFound outside the org, Forbidden outside a viewer's grants."""
        site = await self._sites.get(work, site_id)
        start, end = read_range(range_from, range_to, site.timezone, work.now, SUMMARY_MAX)
        belongs = ("site recordings", work.caller.org_id, site_id)
        before = self._cursors.before(cursor, belongs)
        cameras, total = await work.read(
            queries.cameras_at(work.caller, site_id, before, limit + 1),
            queries.total_at(work.caller, site_id),
        )
        page = self._cursors.page(belongs, cameras, limit, total[0][0])
        direct = [camera.id for camera in page.data if camera.gateway_id is None]
        told_rows, clip_rows, held = await work.read(
            queries.rows(work.caller, page.data, start, end, SUMMARY_ROWS + 1),
            queries.clips(work.caller, direct, start, end, SUMMARY_ROWS),
            queries.held_by(work.caller, page.data),
        )
        by_camera: dict[UUID, list[Row]] = {camera.id: [] for camera in page.data}
        for camera_id, row in [*told_rows, *clip_rows]:
            by_camera[camera_id].append(row)
        on_disk = {row[0]: row[1:] for row in held}
        data = [
            _summary(camera, by_camera[camera.id], on_disk.get(camera.id), start, end, work.now)
            for camera in page.data
        ]
        return SiteRecordings(
            site_id=site_id, from_=start, to=end, data=data, next_cursor=page.next_cursor, total=page.total
        )


def _summary(
    camera: CameraOnRecord,
    rows: list[Row],
    on_disk: tuple[int, datetime, datetime] | None,
    start: datetime,
    end: datetime,
    now: datetime,
) -> CameraSummary:
    line, as_of = told(camera, rows, start, end, now)
    size, oldest, newest = on_disk or (sum(span.size_bytes for span in line.spans), None, None)
    is_recording = camera.gateway_status == "online" and newest is not None and now - newest <= FRESH
    gaps = [gap for gap in line.gaps if gap.reason not in NOT_COUNTED]
    return CameraSummary(
        camera_id=camera.id,
        name=camera.name,
        status=camera.status,
        recording_mode=camera.recording_mode,
        is_recording=is_recording,
        percent_covered=covered(line, start, end),
        longest_gap=max(gaps, key=lambda gap: gap.duration_sec, default=None),
        size_bytes=size,
        oldest_at=oldest or (line.spans[0].start if line.spans else None),
        as_of=as_of,
    )


def read_range(
    range_from: str | None,
    range_to: str | None,
    zone: str,
    now: datetime,
    longest: timedelta,
    default: timedelta = DEFAULT_RANGE,
) -> tuple[datetime, datetime]:
    """From what was typed; days are the site's. What is ahead of us is cut off. Raises ValidationError."""
    span = read_span(range_from, range_to, ("from", "to"))
    low, high = span.in_zone(zone)
    end = now if span.end is None else min(high, now)
    start = end - default if span.start is None else low
    if start >= end:
        raise ValidationError.of("from", "from must be in the past, and before to")
    if end - start > longest:
        raise ValidationError.of("from", f"from must be at most {longest.days} days before to")
    return start, end


def told(
    camera: CameraOnRecord, rows: list[Row], start: datetime, end: datetime, now: datetime
) -> tuple[Timeline, datetime | None]:
    """The whole range, and up to when the gateway has told. Where no row speaks the server does: before the camera was
    added, after it was deleted, after the gateway's last word."""
    as_of = now if camera.gateway_id is None else camera.as_of and min(camera.as_of, now)
    begun = camera.created_at
    if rows and (first := min(row.start for row in rows)) - begun <= FRESH:
        begun = first  # it takes a moment to its first picture
    ends: list[tuple[datetime, datetime, Reason]] = [
        (start, begun, "no_camera"),
        (camera.deleted_at or end, end, "no_camera"),
    ]
    if camera.gateway_id is not None:
        newest = max((row.end for row in rows), default=None)
        silent_from = as_of or newest or start
        if as_of is not None and newest is not None and as_of - newest <= FRESH:
            silent_from = newest  # the newest row grows on, and is told of again soon
        ends.append((silent_from, end, _silence(camera, silent_from, now)))
    said = [background(low, high, reason) for low, high, reason in ends if low < high]
    hole: Reason = "no_event" if camera.gateway_id is None else "unknown"
    return lay_out([*rows, *said], start, end, camera.recording_stream, hole), as_of


def _silence(camera: CameraOnRecord, since: datetime, now: datetime) -> Reason:
    """Why the gateway has not told more."""
    if camera.gateway_status != "online":
        return "gateway_offline"
    if camera.life is None:  # it keeps no ledger
        return "unknown"
    return "not_reported_yet" if camera.as_of is None or now - since <= FRESH else "unknown"


def covered(line: Timeline, start: datetime, end: datetime) -> float:
    """Per cent with footage, of the range without what nobody could have recorded, or is about to tell."""
    none = timedelta(0)
    left_out = sum((gap.end - gap.start for gap in line.gaps if gap.reason in NOT_COUNTED), none)
    footage = sum((span.end - span.start for span in line.spans), none)
    return percent(footage, end - start - left_out)
