"""Where a playback is in its footage: the frame that comes next, and when it is due."""

from __future__ import annotations

from novavms_simcam.media import VIDEO_CLOCK, Sample, VideoTrack


class Reel:
    """Footage that goes round for ever. Times are the loop's; `index` counts on over the rounds."""

    def __init__(self, video: VideoTrack) -> None:
        self.video = video
        self.index = 0
        self.first_ticks = 0
        """Where in the footage the present run began."""
        self._begun = 0.0

    def locate(self, now: float, *, mid_gop: bool) -> None:
        """Begins a run where the footage is by the clock, on the key frame before or, `mid_gop`, half-way to the next."""
        video = self.video
        position = round(now * VIDEO_CLOCK) % video.loop_ticks
        index = max(k for k in video.keys if k == 0 or video.samples[k].send_at <= position)
        if mid_gop:
            following = [k for k in video.keys if k > index]
            end = following[0] if following else len(video.samples)
            index = min(index + max(1, (end - index) // 2), len(video.samples) - 1)
        self._begin(now, index)

    def splice(self, video: VideoTrack) -> None:
        """Goes on with other footage, from its start, when the next frame is due."""
        due = self.due
        self.video = video
        self._begin(due, 0)

    def _begin(self, now: float, index: int) -> None:
        self._begun = now
        self.index = index
        self.first_ticks = self.video.samples[index].send_at

    @property
    def due(self) -> float:
        """When the next frame is to be sent."""
        loops, at = divmod(self.index, len(self.video.samples))
        ticks = loops * self.video.loop_ticks + self.video.samples[at].send_at - self.first_ticks
        return self._begun + ticks / VIDEO_CLOCK

    @property
    def sample(self) -> Sample:
        """The next frame."""
        return self.video.samples[self.index % len(self.video.samples)]
