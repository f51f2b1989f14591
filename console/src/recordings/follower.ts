/** A video of one camera that shows a shared moment: its footage in pieces, drift put right, a sentence where there is none. */
import { client } from '../api/client';
import { sentenceOf } from '../design/surfaces';
import { t } from '../text';
import { iso, type Footage } from './footage';
import { attach, type Attached } from './hls';
import type { Follower } from './moment';
import { HOUR_MS } from './window-bar';

/** Drift is left alone up to here, then put right by speed until it is as good as none; beyond `SEEK_MS` at once. */
const DRIFT_MS = 400;
const GOOD_MS = 80;
const SEEK_MS = 2_000;
const BETWEEN_SEEKS_MS = 1_500;
const AGAIN_MS = 15_000;
const LEAST_MS = 10_000;

interface Piece {
  from: number;
  to: number;
  ending: AbortController;
  attached: Attached | null;
  failed: { text: string; at: number } | null;
}

/** Where its footage at that time ends, or why there is none. */
function look(footage: Footage, at: number): { end: number } | { reason: string } {
  const span = footage.spans.find(({ start, end }) => Date.parse(start) <= at && at < Date.parse(end));
  if (span !== undefined) return { end: Date.parse(span.end) };
  const gap = footage.gaps.find(({ start, end }) => Date.parse(start) <= at && at < Date.parse(end));
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
): { follow: Follower; stop: () => void } {
  let piece: Piece | null = null;
  let soughtAt = -Infinity;

  function stop(): void {
    piece?.ending.abort();
    piece?.attached?.stop();
    piece = null;
    delete video.dataset['at'];
  }

  function open(from: number, to: number): Piece {
    stop();
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

  function keepUp(drift: number): void {
    if (Math.abs(drift) > SEEK_MS) {
      if (performance.now() - soughtAt < BETWEEN_SEEKS_MS) return;
      soughtAt = performance.now();
      video.currentTime = Math.max(0, video.currentTime - drift / 1_000);
    } else if (Math.abs(drift) > DRIFT_MS) {
      video.playbackRate = drift > 0 ? 0.7 : 1.5;
    } else if (Math.abs(drift) < GOOD_MS) {
      video.playbackRate = 1;
    }
  }

  function follow(at: number, moving: boolean): boolean {
    const known = footage();
    if (known === undefined) return false;
    const here = look(known, at);
    if ('reason' in here) {
      stop();
      say(here.reason);
      return true;
    }
    const stale = piece?.failed != null && performance.now() - piece.failed.at > AGAIN_MS;
    if (piece === null || stale || at < piece.from || at >= piece.to) piece = open(at, Math.min(here.end, at + HOUR_MS));
    if (piece.failed !== null) {
      say(piece.failed.text);
      return true;
    }
    if (piece.attached === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
      say(t.recordings.loading);
      return false;
    }
    say(null);
    const shown = piece.attached.dateOf();
    video.dataset['at'] = String(Math.round(shown));
    if (video.ended) return true;
    keepUp(shown - at);
    if (moving && video.paused) void video.play().catch(() => undefined);
    if (!moving && !video.paused) video.pause();
    return video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !video.seeking;
  }

  return { follow, stop };
}
