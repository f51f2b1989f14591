/**
 * What a browser has and Node has not, played by the test: an RTCPeerConnection whose network is a script. Written from W3C's "WebRTC:
 * Real-Time Communication in Browsers"; the real one is in tests/console/test_console_webrtc.py.
 *
 * | here | there |
 * |---|---|
 * | setLocalDescription() | makes an offer; candidates are gathered after it, and added to localDescription |
 * | setRemoteDescription(answer) | fires `track` for each media that the answer sends, then resolves; rejects what is no answer |
 * | connectionState | changes are told by `connectionstatechange`; close() changes it without a word |
 */
export class PlayedConnection extends EventTarget {
  static last: PlayedConnection;
  /** Whether candidates are all found; else never. */
  static gathers = true;
  readonly configuration: { iceServers: unknown[] };
  readonly media: string[] = [];
  iceGatheringState = 'new';
  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  ontrack: ((event: { track: { kind: string } }) => void) | null = null;
  stats = new Map<string, object>();

  constructor(configuration: { iceServers: unknown[] }) {
    super();
    this.configuration = configuration;
    PlayedConnection.last = this;
  }

  addTransceiver(kind: string, { direction }: { direction: string }): void {
    this.media.push(`${kind} ${direction}`);
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: 'v=0\r\n' };
    this.iceGatheringState = 'gathering';
    setImmediate(() => {
      this.localDescription = { sdp: 'v=0\r\na=candidate:1\r\n' };
      if (PlayedConnection.gathers) this.iceGatheringState = 'complete';
      this.dispatchEvent(new Event('icegatheringstatechange'));
    });
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (!sdp.startsWith('v=0')) throw new Error('Failed to parse SessionDescription.');
    for (const kind of ['video', 'audio']) if (sdp.includes(`m=${kind}`)) this.ontrack?.({ track: { kind } });
  }

  become(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  async getStats(): Promise<Map<string, object>> {
    return this.stats;
  }

  close(): void {
    this.connectionState = 'closed';
  }
}

export class PlayedStream {
  readonly #tracks: { kind: string }[] = [];

  addTrack(track: { kind: string }): void {
    this.#tracks.push(track);
  }

  getAudioTracks(): { kind: string }[] {
    return this.#tracks.filter(({ kind }) => kind === 'audio');
  }
}
