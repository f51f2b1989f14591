"""A file that comes as an answer."""

from __future__ import annotations

from collections.abc import Mapping


class Content(bytes):
    """The bytes of a picture or another file, and what came with them."""

    headers: Mapping[str, str]
    """Of the answer, whatever their case: `picture.headers["X-Thumbnail-Times"]`."""

    @property
    def media_type(self) -> str:
        """Such as `image/jpeg`."""
        return self.headers.get("content-type", "").partition(";")[0].strip()
