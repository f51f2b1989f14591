/** `client.events`, with waiting for clips and fetching them. @module */
import { ClipFailedError } from '../errors.js';
import { download, type DownloadOptions } from '../download.js';
import type { Target } from '../files.js';
import { EventsOperations } from '../generated/events.js';
import type { Clip } from '../generated/types.js';
import { waitFor, type WaitOptions } from '../waiting.js';

/** A clip that can be played. */
export interface ReadyClip extends Clip {
  readonly status: 'ready';
  /** Writes the MP4 to a path (Node) or a stream. */
  download(target: Target, options?: DownloadOptions): Promise<void>;
}

/** Something noticed or asked for, with at most one clip. */
export class Events extends EventsOperations {
  /**
   * Waits until the event's clip can be played, which is some seconds after its last frame.
   *
   * Throws ClipFailedError where it came to nothing, and WaitTimeoutError after `timeout` milliseconds, 180,000 by default,
   * the recording itself included.
   *
   * @example
   * ```ts
   * const clip = await novavms.events.waitForClip(eventId, { timeout: 120_000 });
   * await clip.download('clip.mp4');
   * ```
   */
  async waitForClip(id: string, options?: WaitOptions): Promise<ReadyClip> {
    const event = await waitFor(
      this.transport.around,
      () => this.get(id, { signal: options?.signal }),
      ({ clip }) => clip === null || clip.status === 'ready' || clip.status === 'failed',
      ({ clip }) => `the clip is still ${clip?.status}`,
      { timeout: CLIP_TIMEOUT_MS, ...options },
    );
    const { clip } = event;
    if (clip === null) throw new ClipFailedError('the event has no clip', null);
    if (clip.status === 'failed') {
      throw new ClipFailedError(clip.failureMessage ?? clip.failureReason ?? 'the clip came to nothing', clip);
    }
    return withDownload(clip, (target, more) => this.downloadClip(id, target, more));
  }

  /**
   * Writes the event's MP4 to a path (Node) or a stream. Goes on where a connection broke off, and compares size and
   * SHA-256 (in Node) with what the server says: DownloadError. Under the path there is never half a clip.
   *
   * @example
   * ```ts
   * await novavms.events.downloadClip(eventId, 'clip.mp4', {
   *   onProgress: ({ receivedBytes, totalBytes }) => console.log(receivedBytes, totalBytes),
   * });
   * ```
   */
  async downloadClip(id: string, target: Target, options?: DownloadOptions): Promise<void> {
    const { clip } = await this.get(id, asked(options));
    const whole = { bytes: clip?.sizeBytes ?? null, sha256: clip?.sha256 ?? null };
    await download(this.transport, async () => await this.clipUrl(id, asked(options)), target, whole, options);
  }

  /**
   * Writes the event's JPEG to a path (Node) or a stream.
   *
   * @example
   * ```ts
   * await novavms.events.downloadSnapshot(eventId, 'event.jpg');
   * ```
   */
  async downloadSnapshot(id: string, target: Target, options?: DownloadOptions): Promise<void> {
    await download(this.transport, async () => await this.snapshotUrl(id, asked(options)), target, UNKNOWN, options);
  }
}

const CLIP_TIMEOUT_MS = 180_000;
const UNKNOWN = { bytes: null, sha256: null };

function asked(options: DownloadOptions | undefined): { signal: AbortSignal | undefined } {
  return { signal: options?.signal };
}

/** Not enumerable: the clip prints and serializes as what the API said. */
function withDownload(clip: Clip, run: ReadyClip['download']): ReadyClip {
  return Object.defineProperty(clip, 'download', { value: run }) as ReadyClip;
}
