"""The media of go2rtc's stand-in: a WebRTC peer that we did not write (aiortc), to which a camera's own packets are handed.

    webrtc_peer.py

Reads lines of JSON from its standard input, and ends with it: {"id", "src", "offer"} is answered by {"id", "answer"} or {"id", "error"};
{"silent": true} holds back the packets of all who watch, until {"silent": false}. `src` may hold a password, which is why it is no argument.
Listens on 127.0.0.1 only. Imports nothing of ours.

As go2rtc does it: one RTSP session of a source while somebody watches it; its H.264 as it is, from the next packet on, so that a viewer sees
nothing until the next key frame.
"""

import asyncio
import json
import sys
import threading

import aioice.ice
import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

OPEN_SEC = 5.0
KEPT_PACKETS = 300
H264 = [codec for codec in RTCRtpSender.getCapabilities("video").codecs if codec.mimeType == "video/H264"]
# nothing of a test leaves this machine; aioice would leave 127.0.0.1 out
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Source:
    """A camera's stream, read while it has tracks."""

    def __init__(self, src, forget):
        self._src = src
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self.tracks = set()
        self.opened = self._loop.create_future()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        options = {"rtsp_transport": "tcp", "analyzeduration": "0", "fflags": "nobuffer"}
        try:
            with av.open(self._src, options=options, timeout=(OPEN_SEC, OPEN_SEC)) as container:
                self._loop.call_soon_threadsafe(self.opened.set_result, None)
                for packet in container.demux(video=0):
                    if packet.dts is not None:
                        self._loop.call_soon_threadsafe(self._spread, packet)
                    if self.opened.done() and not self.tracks:
                        break
        except (av.error.FFmpegError, RuntimeError) as error:  # RuntimeError: the loop has ended
            self._fail(error)
        finally:
            self._later(self._end)

    def _fail(self, error):
        def fail():
            if not self.opened.done():
                self.opened.set_exception(ConnectionError(type(error).__name__))

        self._later(fail)

    def _later(self, act):
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act)

    def _spread(self, packet):
        for track in self.tracks:
            track.put(packet)

    def _end(self):
        self._forget(self)
        for track in list(self.tracks):
            track.put(None)


class Track(MediaStreamTrack):
    kind = "video"
    silent = False  # of all

    def __init__(self, source):
        super().__init__()
        self._source = source
        self._packets = asyncio.Queue()
        source.tracks.add(self)

    def put(self, packet):
        if packet is None or self._packets.qsize() < KEPT_PACKETS:
            self._packets.put_nowait(packet)

    async def recv(self):
        while True:
            packet = await self._packets.get()
            if packet is None:
                self.stop()
                raise MediaStreamError
            if not Track.silent:
                return packet

    def stop(self):
        super().stop()
        self._source.tracks.discard(self)


class Peer:
    def __init__(self):
        self._sources = {}
        self._connections = set()

    async def answer(self, src, offer):
        if src not in self._sources:
            self._sources[src] = Source(src, lambda _: self._sources.pop(src, None))
        source = self._sources[src]
        track = Track(source)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            await source.opened
            # first, for a codec is chosen as the offer is taken
            connection.addTransceiver(track, direction="sendonly").setCodecPreferences(H264)
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
        except Exception:
            track.stop()
            await connection.close()
            raise
        self._connections.add(connection)

        @connection.on("connectionstatechange")
        async def changed():
            if connection.connectionState in ("failed", "closed"):
                track.stop()
                self._connections.discard(connection)
                await connection.close()

        return connection.localDescription.sdp

    async def serve(self, asked):
        try:
            said = {"answer": await self.answer(asked["src"], asked["offer"])}
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}".replace(asked["src"], "the source")}
        print(json.dumps({"id": asked["id"], **said}), flush=True)

    async def close(self):
        for connection in list(self._connections):
            await connection.close()


async def main():
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    peer = Peer()
    tasks = set()
    print(json.dumps({"ready": True}), flush=True)
    while line := await reader.readline():
        asked = json.loads(line)
        if "silent" in asked:
            Track.silent = asked["silent"]
            continue
        task = asyncio.create_task(peer.serve(asked))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await peer.close()


if __name__ == "__main__":
    asyncio.run(main())
