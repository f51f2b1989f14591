# Made from _async/ by tools/sdk_python; not to be edited.
"""Made from sdk/openapi.json by tools/sdk_python; not to be edited: `client.cameras`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from novavms._request import NOT_GIVEN, NotGiven, Timeout, segment
from novavms._sync.following import followed
from novavms._sync.resource import Resource
from novavms.types import Camera, CameraDetail, CheckReport, CheckStages, Live, Recordings, Triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from novavms._content import Content
    from novavms._sync.pages import Page
    from novavms.types import (
        CameraStatus,
        CameraType,
        CheckStage,
        ConnectionMode,
        ScheduleWindow,
        StreamTransport,
        Tier,
    )


class CamerasOperations(Resource):
    """`client.cameras`"""

    def list(
        self,
        *,
        connection_mode: ConnectionMode | None = None,
        cursor: str | None = None,
        gateway_id: str | UUID | None = None,
        limit: int | None = None,
        q: str | None = None,
        site_id: str | UUID | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        status: CameraStatus | None = None,
        type: CameraType | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Page[Camera]:
        """List cameras.

        A viewer's are those of the sites it was granted; naming another site is 403.

        Args:
            connection_mode: Only cameras connected this way.
            cursor: `next_cursor` of the page before.
            gateway_id: Only cameras of this gateway.
            limit: Rows on a page; 1 to 100; default 20.
            q: Only cameras with this in their name, upper and lower case alike; at most 100 characters.
            site_id: Only cameras on this site.
            sort: `-` for descending; default "-created_at".
            status: Only cameras in this state.
            type: Only cameras of this type.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.page(
            "/api/v1/cameras",
            Camera,
            query={
                "connection_mode": connection_mode,
                "cursor": cursor,
                "gateway_id": gateway_id,
                "limit": limit,
                "q": q,
                "site_id": site_id,
                "sort": sort,
                "status": status,
                "type": type,
            },
            timeout=timeout,
        )

    def create(
        self,
        *,
        type: CameraType,
        site_id: str | UUID,
        name: str,
        connection_mode: ConnectionMode | NotGiven = NOT_GIVEN,
        gateway_id: str | UUID | NotGiven | None = NOT_GIVEN,
        rtsp_url: str | NotGiven | None = NOT_GIVEN,
        rtsp_username: str | NotGiven | None = NOT_GIVEN,
        rtsp_password: str | NotGiven | None = NOT_GIVEN,
        host: str | NotGiven | None = NOT_GIVEN,
        port: int | NotGiven | None = NOT_GIVEN,
        onvif_username: str | NotGiven | None = NOT_GIVEN,
        onvif_password: str | NotGiven | None = NOT_GIVEN,
        recording_mode: Literal["off", "continuous", "events"] | NotGiven = NOT_GIVEN,
        recording_schedule: Sequence[ScheduleWindow | Mapping[str, Any]] | NotGiven | None = NOT_GIVEN,
        retention_days: int | NotGiven = NOT_GIVEN,
        retention_bytes: int | NotGiven | None = NOT_GIVEN,
        check_id: str | UUID | None = None,
        on_duplicate: Literal["warn", "reject"] | None = None,
        on_stage: Callable[[CheckStage], object] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> CameraDetail:
        """Add a camera.

        Gateway-bound: the gateway checks address and credentials before the answer, up to 15 s; a failed
        check is a 400 with `reason`, `hint` and the whole report as `check`, and nothing of the camera
        stays. Direct: answers at once with status `pending`.

        Needs the role operator or higher.

        Args:
            check_id: Made up by you: the stages can then be followed at `/cameras/checks/{check_id}`
            on_duplicate: `reject`: 409 where the same stream of the same camera is added already; default "warn".
            name: 1 to 100 characters, not only blanks, no control characters.
            connection_mode: Default "gateway".
            rtsp_url: rtsp:// or rtsps://; user and password in it are split out and never shown again; at most 2048 characters.
            rtsp_username: At most 256 characters.
            rtsp_password: At most 256 characters.
            host: Name or IP address; at most 253 characters.
            port: 1 to 65535.
            onvif_username: At most 256 characters.
            onvif_password: At most 256 characters.
            recording_mode: Left out: `continuous` by a gateway, `events` in direct mode.
            recording_schedule: When to record continuously, on the site's clock; null: always.
            retention_days: How long footage is kept on the gateway; 1 to 3650; default 30.
            retention_bytes: The most that this camera's footage may take on the gateway; null: only the disk's own limit.
            on_stage: Told each stage of the check as it passes, before this returns; with threads, in another one.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return followed(
            self._transport,
            check_id,
            on_stage,
            lambda check_id: self._transport.object(
                "POST",
                "/api/v1/cameras",
                CameraDetail,
                query={"check_id": check_id, "on_duplicate": on_duplicate},
                body={
                    "type": type,
                    "site_id": site_id,
                    "name": name,
                    "connection_mode": connection_mode,
                    "gateway_id": gateway_id,
                    "rtsp_url": rtsp_url,
                    "rtsp_username": rtsp_username,
                    "rtsp_password": rtsp_password,
                    "host": host,
                    "port": port,
                    "onvif_username": onvif_username,
                    "onvif_password": onvif_password,
                    "recording_mode": recording_mode,
                    "recording_schedule": recording_schedule,
                    "retention_days": retention_days,
                    "retention_bytes": retention_bytes,
                },
                key=idempotency_key,
                timeout=timeout,
            ),
        )

    def get(self, camera_id: str | UUID, *, timeout: Timeout = NOT_GIVEN) -> CameraDetail:
        """Get a camera.

        Args:
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET", f"/api/v1/cameras/{segment(camera_id)}", CameraDetail, timeout=timeout
        )

    def update(
        self,
        camera_id: str | UUID,
        *,
        name: str | NotGiven = NOT_GIVEN,
        site_id: str | UUID | NotGiven = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
        rtsp_url: str | NotGiven = NOT_GIVEN,
        rtsp_username: str | NotGiven | None = NOT_GIVEN,
        rtsp_password: str | NotGiven | None = NOT_GIVEN,
        host: str | NotGiven = NOT_GIVEN,
        port: int | NotGiven = NOT_GIVEN,
        onvif_username: str | NotGiven = NOT_GIVEN,
        onvif_password: str | NotGiven = NOT_GIVEN,
        stream_transport: StreamTransport | NotGiven = NOT_GIVEN,
        tls_fingerprint: str | NotGiven | None = NOT_GIVEN,
        recording_stream: Tier | NotGiven = NOT_GIVEN,
        detection_stream: Tier | NotGiven = NOT_GIVEN,
        recording_mode: Literal["off", "continuous", "events"] | NotGiven = NOT_GIVEN,
        recording_schedule: Sequence[ScheduleWindow | Mapping[str, Any]] | NotGiven | None = NOT_GIVEN,
        retention_days: int | NotGiven = NOT_GIVEN,
        retention_bytes: int | NotGiven | None = NOT_GIVEN,
        check_id: str | UUID | None = None,
        on_stage: Callable[[CheckStage], object] | None = None,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> CameraDetail:
        """Change a camera.

        A change of address, credentials or transport of a gateway-bound camera is checked first; where the
        check fails, the answer is a 400 and the camera stays exactly as it was.

        Needs the role operator or higher.

        Args:
            check_id: Made up by you: the stages can then be followed at `/cameras/checks/{check_id}`
            name: 1 to 100 characters, not only blanks, no control characters.
            rtsp_url: rtsp:// or rtsps://; user and password in it are split out and never shown again; at most 2048 characters.
            rtsp_username: At most 256 characters.
            rtsp_password: At most 256 characters.
            host: Name or IP address; at most 253 characters.
            port: 1 to 65535.
            onvif_username: At most 256 characters.
            onvif_password: At most 256 characters.
            tls_fingerprint: SHA-256 of a certificate (DER), in hexadecimal; at most 95 characters.
            recording_schedule: When to record continuously, on the site's clock; null: always.
            retention_days: How long footage is kept on the gateway; 1 to 3650.
            retention_bytes: The most that this camera's footage may take on the gateway; null: only the disk's own limit.
            on_stage: Told each stage of the check as it passes, before this returns; with threads, in another one.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return followed(
            self._transport,
            check_id,
            on_stage,
            lambda check_id: self._transport.object(
                "PATCH",
                f"/api/v1/cameras/{segment(camera_id)}",
                CameraDetail,
                query={"check_id": check_id},
                body={
                    "name": name,
                    "site_id": site_id,
                    "enabled": enabled,
                    "rtsp_url": rtsp_url,
                    "rtsp_username": rtsp_username,
                    "rtsp_password": rtsp_password,
                    "host": host,
                    "port": port,
                    "onvif_username": onvif_username,
                    "onvif_password": onvif_password,
                    "stream_transport": stream_transport,
                    "tls_fingerprint": tls_fingerprint,
                    "recording_stream": recording_stream,
                    "detection_stream": detection_stream,
                    "recording_mode": recording_mode,
                    "recording_schedule": recording_schedule,
                    "retention_days": retention_days,
                    "retention_bytes": retention_bytes,
                },
                if_match=if_match,
                timeout=timeout,
            ),
        )

    def delete(
        self, camera_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Delete a camera.

        Its events and recordings stay readable.

        Needs the role operator or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/cameras/{segment(camera_id)}", if_match=if_match, timeout=timeout
        )

    def test(
        self,
        *,
        type: CameraType,
        connection_mode: ConnectionMode | NotGiven = NOT_GIVEN,
        gateway_id: str | UUID | NotGiven | None = NOT_GIVEN,
        rtsp_url: str | NotGiven | None = NOT_GIVEN,
        rtsp_username: str | NotGiven | None = NOT_GIVEN,
        rtsp_password: str | NotGiven | None = NOT_GIVEN,
        host: str | NotGiven | None = NOT_GIVEN,
        port: int | NotGiven | None = NOT_GIVEN,
        onvif_username: str | NotGiven | None = NOT_GIVEN,
        onvif_password: str | NotGiven | None = NOT_GIVEN,
        recording_mode: Literal["off", "continuous", "events"] | NotGiven = NOT_GIVEN,
        recording_schedule: Sequence[ScheduleWindow | Mapping[str, Any]] | NotGiven | None = NOT_GIVEN,
        retention_days: int | NotGiven = NOT_GIVEN,
        retention_bytes: int | NotGiven | None = NOT_GIVEN,
        site_id: str | UUID | NotGiven | None = NOT_GIVEN,
        name: str | NotGiven | None = NOT_GIVEN,
        check_id: str | UUID | None = None,
        on_stage: Callable[[CheckStage], object] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> CheckReport:
        """Check a camera without adding it.

        The report is a 200 whether or not the camera works: see its `ok`.

        Needs the role operator or higher.

        Args:
            check_id: Made up by you: the stages can then be followed at `/cameras/checks/{check_id}`
            connection_mode: Default "gateway".
            rtsp_url: rtsp:// or rtsps://; user and password in it are split out and never shown again; at most 2048 characters.
            rtsp_username: At most 256 characters.
            rtsp_password: At most 256 characters.
            host: Name or IP address; at most 253 characters.
            port: 1 to 65535.
            onvif_username: At most 256 characters.
            onvif_password: At most 256 characters.
            recording_mode: Left out: `continuous` by a gateway, `events` in direct mode.
            recording_schedule: When to record continuously, on the site's clock; null: always.
            retention_days: How long footage is kept on the gateway; 1 to 3650; default 30.
            retention_bytes: The most that this camera's footage may take on the gateway; null: only the disk's own limit.
            name: 1 to 100 characters, not only blanks, no control characters.
            on_stage: Told each stage of the check as it passes, before this returns; with threads, in another one.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return followed(
            self._transport,
            check_id,
            on_stage,
            lambda check_id: self._transport.object(
                "POST",
                "/api/v1/cameras/test",
                CheckReport,
                query={"check_id": check_id},
                body={
                    "type": type,
                    "connection_mode": connection_mode,
                    "gateway_id": gateway_id,
                    "rtsp_url": rtsp_url,
                    "rtsp_username": rtsp_username,
                    "rtsp_password": rtsp_password,
                    "host": host,
                    "port": port,
                    "onvif_username": onvif_username,
                    "onvif_password": onvif_password,
                    "recording_mode": recording_mode,
                    "recording_schedule": recording_schedule,
                    "retention_days": retention_days,
                    "retention_bytes": retention_bytes,
                    "site_id": site_id,
                    "name": name,
                },
                key=idempotency_key,
                timeout=timeout,
            ),
        )

    def check_stages(
        self,
        check_id: str | UUID,
        *,
        after: int | None = None,
        wait_sec: float | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> CheckStages:
        """Follow a running check.

        The stages of a check that was begun with this `check_id`, as they pass: waits until there are more
        than `after`, or `wait_sec` is over. 404 before it began and from a minute after its end; the report
        itself is in the answer of the request that began it.

        Needs the role operator or higher.

        Args:
            after: How many stages you have seen: `next` of the answer before; 0 to 1000; default 0.
            wait_sec: How long to wait for more, in seconds; 0 to 20; default 0.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET",
            f"/api/v1/cameras/checks/{segment(check_id)}",
            CheckStages,
            query={"after": after, "wait_sec": wait_sec},
            timeout=timeout,
        )

    def snapshot(
        self, camera_id: str | UUID, *, width: int | None = None, timeout: Timeout = NOT_GIVEN
    ) -> Content:
        """A picture now (JPEG).

        Args:
            width: Pixels; unset: as recorded; 16 to 3840.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.content(
            f"/api/v1/cameras/{segment(camera_id)}/snapshot",
            "image/jpeg",
            query={"width": width},
            timeout=timeout,
        )

    def trigger_recording(
        self,
        camera_id: str | UUID,
        *,
        duration_sec: int | NotGiven = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Triggered:
        """Record a clip now.

        Once in 5 seconds for each camera, whoever asks.

        Needs the role operator or higher.

        Args:
            duration_sec: 5 to 60; default 15.
            note: At most 500 characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            f"/api/v1/cameras/{segment(camera_id)}/trigger",
            Triggered,
            body={"duration_sec": duration_sec, "note": note},
            key=idempotency_key,
            timeout=timeout,
        )

    def live(
        self,
        camera_id: str | UUID,
        *,
        codecs: str | None = None,
        tier: Tier | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Live:
        """Watch a camera live.

        Ways to watch, best first for what the viewer can decode. Each address is good for an hour to begin,
        opens this camera and nothing else, and ends within 5 s with the caller's right to see it. `mse`: a
        WebSocket whose text messages say what comes, and whose binary ones are fragmented MP4 for
        MediaSource. `hls`: low-latency HLS. `webrtc`: WHEP. URLs are whole where NOVAVMS_PUBLIC_URL is set,
        else begin with `/`.

        Args:
            codecs: What the viewer can decode, separated by commas: h264, h265. Unset: h264.
            tier: `sub`: the smaller stream, where the camera has one; default "main".
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET",
            f"/api/v1/cameras/{segment(camera_id)}/live",
            Live,
            query={"codecs": codecs, "tier": tier},
            timeout=timeout,
        )

    def recordings(
        self,
        camera_id: str | UUID,
        *,
        from_: str | date | datetime | None = None,
        to: str | date | datetime | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Recordings:
        """What footage there is of a camera, and why where there is none.

        Spans and gaps together are the whole range, each moment once; at most 366 days. Of deleted cameras,
        too. It answers also while the gateway is away: what the gateway has not told is a gap
        `gateway_offline`.

        Args:
            from_: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, from its beginning. Unset: 24 hours before `to`
            to: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone, to its end. Unset, or ahead of now: now.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "GET",
            f"/api/v1/cameras/{segment(camera_id)}/recordings",
            Recordings,
            query={"from": from_, "to": to},
            timeout=timeout,
        )

    def thumbnails(
        self,
        camera_id: str | UUID,
        *,
        count: int | None = None,
        from_: str | date | datetime | None = None,
        to: str | date | datetime | None = None,
        width: int | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Content:
        """A strip of pictures for a timeline (JPEG).

        One JPEG of `count` tiles side by side, each the middle of its share of the range; at most 31 days.
        Headers: `X-Thumbnail-Times`, the time of each tile's picture, separated by commas, empty where
        there is no footage (the tile is black); `X-Thumbnail-Width` and `-Height` of one tile. 404 with the
        gap's `reason` where there is nothing at all, 503 with `reason` while the gateway is away.

        Args:
            count: How many tiles; 1 to 60; default 10.
            from_: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone: where to begin. Unset: an hour before `to`
            to: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone. Unset: an hour after `from`
            width: Of one tile, in pixels; 32 to 640; default 160.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.content(
            f"/api/v1/cameras/{segment(camera_id)}/thumbnails",
            "image/jpeg",
            query={"count": count, "from": from_, "to": to, "width": width},
            timeout=timeout,
        )

    def playback_url(
        self,
        camera_id: str | UUID,
        *,
        from_: str | date | datetime | None = None,
        to: str | date | datetime | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> str:
        """Play recorded footage (HLS).

        Redirects to an HLS playlist (fragmented MP4) of the footage from `from` on: at most 24 hours, an
        hour where `to` is not given. The address is good for six hours, and no longer than the caller's
        right to see the camera. Bytes come straight from the gateway: 503 with `reason` while it is away.
        404 with the gap's `reason` where there is none.

        Args:
            from_: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone: where to begin. Unset: an hour before `to`
            to: An RFC 3339 time, or a day (YYYY-MM-DD) in the site's time zone. Unset: an hour after `from`
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.location(
            f"/api/v1/cameras/{segment(camera_id)}/playback", query={"from": from_, "to": to}, timeout=timeout
        )

    def create_clip(
        self,
        camera_id: str | UUID,
        *,
        from_: datetime | str,
        to: datetime | str,
        note: str | NotGiven | None = NOT_GIVEN,
        idempotency_key: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> Triggered:
        """Cut a clip out of the recording.

        Of any past moment, at most an hour: an event with a clip, which is followed as a triggered one's at
        `GET /events/{event_id}`. 409 with the gap's `reason` where nothing was recorded; what is missing
        within is the clip's `gap_sec`. 503 with `reason` while the gateway is away.

        Needs the role operator or higher.

        Args:
            from_: An RFC 3339 time with its zone.
            to: An RFC 3339 time with its zone.
            note: At most 500 characters.
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            f"/api/v1/cameras/{segment(camera_id)}/clips",
            Triggered,
            body={"from": from_, "to": to, "note": note},
            key=idempotency_key,
            timeout=timeout,
        )

    def accept_move(
        self,
        camera_id: str | UUID,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        timeout: Timeout = NOT_GIVEN,
    ) -> CameraDetail:
        """Let a camera be where it was found.

        `moved_to` names the address at which its gateway found a missing camera. It is checked there with
        its own login, up to 15 s; where that fails, or another device answers, the answer is a 400 and
        nothing changes.

        Needs the role operator or higher.

        Args:
            idempotency_key: Of your own, to make the call safe to repeat beyond its own retries.
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        return self._transport.object(
            "POST",
            f"/api/v1/cameras/{segment(camera_id)}/accept-move",
            CameraDetail,
            key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )

    def dismiss_move(
        self, camera_id: str | UUID, *, if_match: str | None = None, timeout: Timeout = NOT_GIVEN
    ) -> None:
        """Dismiss the address at which a camera was found.

        The same address is not offered again until the camera was back.

        Needs the role operator or higher.

        Args:
            if_match: The `etag` of what you read: a ConflictError if it was changed since.
            timeout: Seconds, for this call; the client's if not given.
        """
        self._transport.nothing(
            "DELETE", f"/api/v1/cameras/{segment(camera_id)}/move", if_match=if_match, timeout=timeout
        )
