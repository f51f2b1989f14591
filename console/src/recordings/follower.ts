/** A video of one camera that shows a shared moment: its footage in pieces, drift put right, a sentence where there is none. */
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { measureFrames } from '../player/frames';
import { t } from '../text';
import { has, iso, type Footage } from './footage';
import { attach, type Attached } from './hls';
import type { Follower } from './moment';
import { HOUR_MS } from './window';

/** Drift is left alone up to here, then put right by speed until it is as good as none; beyond `SEEK_MS` at once. Per speed. */
const DRIFT_MS = 400;
const GOOD_MS = 80;
const SEEK_MS = 2_000;
const BETWEEN_SEEKS_MS = 1_500;
const AGAIN_MS = 15_000;
const LEAST_MS = 10_000;
const EXACT_SEC = 0.002;
const MOST_SETTLES = 5;
/** Who goes back goes on going back: so much before the moment is there, too. */
const BEFORE_MS = 10_000;

interface Piece {
  from: number;
  to: number;
  ending: AbortController;
  attached: Attached | null;
  failed: { text: string; at: number } | null;
}

interface Stretch {
  start: number;
  end: number;
}

/** The footage around that time, or why there is none. */
function look(footage: Footage, at: number): Stretch | { reason: string } {
  const span = footage.spans.find(has(at));
  if (span !== undefined) return { start: Date.parse(span.start), end: Date.parse(span.end) };
  const gap = footage.gaps.find(has(at));
  if (gap === undefined) return { reason: t.recordings.noFootage };
  const reason = t.recordings.reason[gap.reason] ?? gap.reason;
  // what the gateway has not told yet may well be there
  return { reason: gap.reason === 'not_reported_yet' ? reason : t.recordings.inGap(reason) };
}

/** `say`: what stands over the video, null for nothing. `stop` ends what it plays. */
export function follower(
  cameraId: string,
  video: HTMLVideoElement,
  footage: () => Footage | undefined,
  say: (word: string | null) => void,
): Follower & { stop: () => void } {
  let piece: Piece | null = null;
  let soughtAt = -Infinity;
  let settled = { at: NaN, times: 0 };
  let pace = 1;
  let frameMs: number | null = null;
  const stopMeasuring = measureFrames(video, (sec) => (frameMs = sec * 1_000));

  function close(): void {
    piece?.ending.abort();
    piece?.attached?.stop();
    piece = null;
    settled = { at: NaN, times: 0 };
    pace = 1;
    delete video.dataset['at'];
  }

  function open(from: number, to: number): Piece {
    close();
    const mine: Piece = { from, to, ending: new AbortController(), attached: null, failed: null };
    const fail = (text: string) => (mine.failed = { text, at: performance.now() });
    client.cameras
      .playbackUrl(cameraId, { from: iso(from), to: iso(Math.max(from + LEAST_MS, to)) }, { signal: mine.ending.signal, maxRetries: 1 })
      .then((url) => {
        if (mine.ending.signal.aborted) return;
        mine.attached = attach(video, url, from, (why) => fail(why === 'format' ? t.recordings.cannotPlay : t.state.noAnswer));
      })
      .catch((error: unknown) => {
        if (!mine.ending.signal.aborted) fail(sentenceOf(error));
      });
    return mine;
  }

  /** What is open, if it has the moment; else what does. */
  function pieceOf(at: number, { start, end }: Stretch): Piece {
    const stale = piece?.failed != null && performance.now() - piece.failed.at > AGAIN_MS;
    const back = piece !== null && at < (piece.attached?.begin() ?? piece.from);
    if (piece !== null && !stale && !back && at < piece.to) return piece;
    return open(back ? Math.max(start, at - BEFORE_MS) : at, Math.min(end, at + HOUR_MS));
  }

  /** Stands: exactly there. Sought again where the player has learned better, by what it loaded, when a segment is; not for ever. */
  function settle(at: number, attached: Attached): void {
    if (video.seeking) return;
    if (settled.at !== at) settled = { at, times: 0 };
    const wanted = attached.positionOf(at);
    if (settled.times >= MOST_SETTLES || Math.abs(video.currentTime - wanted) < EXACT_SEC) return;
    settled.times += 1;
    video.currentTime = wanted;
  }

  function keepUp(at: number, rate: number, attached: Attached): void {
    const drift = (attached.dateOf() - at) / Math.max(1, rate);
    if (Math.abs(drift) > SEEK_MS) {
      if (performance.now() - soughtAt < BETWEEN_SEEKS_MS) return;
      soughtAt = performance.now();
      video.currentTime = attached.positionOf(at);
    } else if (Math.abs(drift) > DRIFT_MS) {
      pace = drift > 0 ? 0.7 : 1.5;
    } else if (Math.abs(drift) < GOOD_MS) {
      pace = 1;
    }
    if (rate > 0 && video.playbackRate !== rate * pace) video.playbackRate = rate * pace;
  }

  function follow(at: number, rate: number): boolean {
    const known = footage();
    if (known === undefined) return false;
    const here = look(known, at);
    if ('reason' in here) {
      close();
      say(here.reason);
      return true;
    }
    piece = pieceOf(at, here);
    const { attached, failed } = piece;
    if (failed !== null) {
      say(failed.text);
      return true;
    }
    if (attached === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
      say(t.recordings.loading);
      return false;
    }
    say(null);
    if (rate === 0) {
      video.pause();
      settle(at, attached);
    } else if (!video.ended) {
      settled = { at: NaN, times: 0 };
      keepUp(at, rate, attached);
      if (video.paused) void video.play().catch(() => undefined);
    }
    video.dataset['at'] = String(Math.round(attached.dateOf()));
    return video.ended || (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !video.seeking);
  }

  const stop = () => {
    stopMeasuring();
    close();
  };
  return { follow, frameMs: () => (piece === null ? null : frameMs), stop };
}
