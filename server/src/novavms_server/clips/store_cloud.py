"""The store at S3, Google or Azure, by obstore. Addresses and credentials as its own environment variables say."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import obstore
from obstore.exceptions import BaseError

from novavms_server.clips.errors import StoreAway, WrongSize
from novavms_server.clips.store import CHUNK_BYTES, Link, StoredObject, as_attachment
from novavms_server.kit.clock import Clock

_MULTIPART_BYTES = 8 * 1024 * 1024


class CloudStore:
    """A `Store`. `store` is one of obstore's."""

    def __init__(self, store: Any, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, size_bytes: int, file_name: str = ""
    ) -> None:
        """Whole or not at all: a multipart upload appears when it is completed, and is given up when `chunks` raises."""
        counter = _Counter(chunks, size_bytes)
        attributes: Any = {"Content-Disposition": as_attachment(file_name)} if file_name else None
        with _translated():
            try:
                await obstore.put_async(
                    self._store,
                    key,
                    counter.run(),
                    attributes=attributes,
                    use_multipart=True,
                    chunk_size=_MULTIPART_BYTES,
                )
            except BaseException:
                if counter.failure is not None:  # obstore wraps what the iterator raised
                    raise counter.failure from None
                raise

    async def find(self, key: str) -> StoredObject | None:
        with _translated():
            try:
                return StoredObject(key, (await obstore.head_async(self._store, key))["size"])
            except FileNotFoundError:
                return None

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        with _translated():
            answer = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def list_below(self, prefix: str) -> list[StoredObject]:
        with _translated():
            return sorted(
                [
                    StoredObject(item["path"], item["size"])
                    async for batch in obstore.list(self._store, prefix=prefix)
                    for item in batch
                ]
            )

    async def delete(self, keys: Sequence[str]) -> None:
        with _translated():
            for key in keys:  # one by one: not every store shrugs at a missing key inside a batch
                with contextlib.suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, key)

    async def link(
        self,
        method: Literal["GET", "PUT"],
        key: str,
        *,
        expires_at: datetime,
        size_bytes: int = 0,
        file_name: str = "",
    ) -> Link:
        left = expires_at - self._clock.now()
        with _translated():
            url = await obstore.sign_async(self._store, method, key, left)
        return Link(url, method, {})


class _Counter:
    """Passes the chunks on; holds them to their size and keeps what they raised."""

    def __init__(self, chunks: AsyncIterator[bytes], size_bytes: int) -> None:
        self._chunks = chunks
        self._left = size_bytes
        self.failure: Exception | None = None

    async def run(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                self._left -= len(chunk)
                if self._left < 0:
                    raise WrongSize
                yield chunk
            if self._left:
                raise WrongSize
        except Exception as error:
            self.failure = error
            raise


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """A store's trouble is StoreAway; its texts name buckets and hosts and stay in the chain of causes."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreAway from error
