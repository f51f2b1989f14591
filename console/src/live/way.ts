/** What the ways to a live picture have in common. */
import { APIConnectionError, InternalServerError, RateLimitError, type Live, type LiveTier } from '@novavms/sdk';

/** A way that shows video. */
export type VideoWay = 'mse' | 'webrtc' | 'hls';
export type Way = VideoWay | 'pictures';

export interface LiveState {
  /** null until the server has said which there are. */
  way: Way | null;
  /** Why it is this one: the server's reason for the best one, else why the better ones are none. */
  why: string | null;
  phase: 'starting' | 'playing' | 'waiting' | 'ended';
  /** Said in the picture's place, or over the last one. */
  message: string | null;
  tier: LiveTier;
  tierReason: string | null;
  hasAudio: boolean;
  /** null where it is not known. */
  behindSec: number | null;
}

/** What a way came to. */
export type Outcome =
  /** It was told to stop. */
  | { kind: 'stopped' }
  /** There is nothing more to see, by no way. */
  | { kind: 'over'; message: string }
  /** It broke off, and may go well at the next try. */
  | { kind: 'again' }
  /** The picture stood though it should not. */
  | { kind: 'stalled' }
  | Down;

/** It shows no picture here. */
export interface Down {
  kind: 'down';
  why: string;
  lasting: Lasting;
}

/** For what it is down: this camera, all cameras (the network lets it not through), or for good (the browser can't). */
export type Lasting = 'camera' | 'network' | 'browser';

export interface Screening {
  readonly cameraId: string;
  readonly video: HTMLVideoElement;
  readonly tier: LiveTier;
  readonly ways: Live;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly tell: (change: Partial<LiveState>) => void;
  /** Takes what is to be done when another tier is wished for; without it the way is begun anew. */
  readonly onTier: (act: (tier: LiveTier) => void) => void;
}

/** Shows a camera in the element until it ends. Tells `playing` with the first picture that was decoded. Does not throw. */
export type Play = (screening: Screening) => Promise<Outcome>;

export const STEADY_MS = 1_000;

export const down = (why: string, lasting: Lasting = 'camera'): Down => ({ kind: 'down', why, lasting });

/** Whether another try may go better. */
export const passes = (error: unknown): boolean =>
  error instanceof APIConnectionError || error instanceof InternalServerError || error instanceof RateLimitError;

/** Resolves after so long, or when the signal ends. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
