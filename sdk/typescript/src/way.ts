/** What the ways to watch a camera live have in common. @module */
import type { GetCameraLiveParams, Live } from './generated/types.js';
import type { RequestOptions } from './options.js';

/** Which of a camera's streams. */
export type LiveTier = 'main' | 'sub';

/** What to watch, and what can be decoded. */
export interface WatchLiveParams {
  /** `sub`: the smaller stream, where the camera has one. Default `main`. */
  readonly tier?: LiveTier | undefined;
  /** What you can decode. Default: H.264 only. */
  readonly codecs?: readonly ('h264' | 'h265')[] | undefined;
}

/** Nothing comes now; the picture follows by itself. `connection_lost`: between you and the server; else as the server says. */
export interface LiveWaiting {
  readonly kind: 'waiting';
  readonly reason: string;
  readonly message: string;
}

/** The last item: nothing more will come. `no_mse`, `no_webrtc`: the server does not offer this way, and `message` says why. */
export interface LiveEnd {
  readonly kind: 'end';
  readonly reason: string;
  readonly message: string;
}

/** Asks how the camera can be watched now. */
export type Ask = (params: GetCameraLiveParams, options: RequestOptions) => PromiseLike<Live>;

/**
 * Iterates until it ends, or `closing` does it, or the signal: then it throws the signal's reason. `end` lets go of what it holds, however
 * it ended.
 */
export async function* untilClosed<T>(
  items: AsyncIterable<T>,
  closing: AbortController,
  signal: AbortSignal | undefined,
  end: () => void,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  const stop = () => closing.abort();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    yield* items;
  } catch (error) {
    if (!closing.signal.aborted) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    end();
  }
  if (signal?.aborted) throw signal.reason;
}

/** The same place on the way on which the API was just reached, whatever name the server has for itself. */
export function reached(root: string, url: string): string {
  const { pathname, search } = new URL(url, root);
  return `${root}${pathname.slice(pathname.indexOf('/api/v1') + '/api/v1'.length)}${search}`;
}

/** The end where a way is not offered. */
export function noWay({ message, excluded }: Live, way: 'mse' | 'webrtc'): LiveEnd {
  if (message != null) return { kind: 'end', reason: 'codec_unsupported', message };
  const why = excluded.find(({ type }) => type === way);
  return { kind: 'end', reason: `no_${way}`, message: why?.message ?? 'The server does not offer this way to watch.' };
}
