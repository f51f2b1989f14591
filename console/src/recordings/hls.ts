/** HLS into a video element. hls.js is a chunk of its own, fetched with the first recording that is played. */
import type { Fragment } from 'hls.js';
import { useEffect, useRef, useState, type RefObject } from 'react';

export type Failed = 'format' | 'network';

export interface Playback {
  /** Wall-clock time of the picture, ms since 1970. */
  at: number | null;
  failed: Failed | null;
}

export interface Attached {
  /** Wall-clock time of the picture that is shown, ms since 1970. */
  dateOf: () => number;
  /** Where in the video the picture of that time is, seconds. */
  positionOf: (at: number) => number;
  /** Wall-clock time of its first picture. */
  begin: () => number;
  stop: () => void;
}

/** Feeds the element with `url`, whose first picture is of about `from`. It plays when somebody says so: `onReady`. */
export function attach(element: HTMLVideoElement, url: string, from: number, onFail: (failed: Failed) => void, onReady = () => {}): Attached {
  let ended = false;
  let destroy: (() => void) | undefined;
  let fragments: readonly Fragment[] = [];
  /** By the last segment for which that holds: recording may have been interrupted between two of them. */
  const segment = (holds: (start: number, date: number) => boolean): { start: number; date: number } => {
    const dated = fragments.flatMap(({ start, programDateTime: date }) => (date === null ? [] : [{ start, date }]));
    return dated.findLast(({ start, date }) => holds(start, date)) ?? dated[0] ?? { start: 0, date: from };
  };
  void (async () => {
    const { default: Hls } = await import('hls.js/light');
    if (ended) return;
    if (!Hls.isSupported()) {
      element.src = url;
      return;
    }
    const hls = new Hls({ enableWorker: false, maxBufferLength: 30, startFragPrefetch: true });
    destroy = () => hls.destroy();
    hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => (fragments = details.fragments));
    hls.on(Hls.Events.ERROR, (_, told) => {
      if (told.fatal) onFail(told.type === Hls.ErrorTypes.MEDIA_ERROR ? 'format' : 'network');
    });
    hls.on(Hls.Events.MANIFEST_PARSED, onReady);
    hls.loadSource(url);
    hls.attachMedia(element);
  })();
  return {
    dateOf: () => {
      const { start, date } = segment((begin) => begin <= element.currentTime);
      return date + (element.currentTime - start) * 1_000;
    },
    positionOf: (at) => {
      const { start, date } = segment((_, begin) => begin <= at);
      return Math.max(0, start + (at - date) / 1_000);
    },
    begin: () => fragments[0]?.programDateTime ?? from,
    stop: () => {
      ended = true;
      destroy?.();
      element.removeAttribute('src');
    },
  };
}

/** What somebody wants to see; each time a new one. */
export interface Sought {
  at: number;
  /** The gateway has told up to here, as far as is known. */
  known: number | null;
}

const NOTHING: Playback = { at: null, failed: null };

/** Plays `url`, whose first picture is of about what was sought, or shows that picture where it `stands`. Ends what was played before.
 * `here`: the wall-clock time of this instant; `at` is told some times a second only. */
export function useHls(video: RefObject<HTMLVideoElement | null>, url: string | undefined, sought: Sought | null, stands: RefObject<boolean>): Playback & { here: () => number | null } {
  const [playback, setPlayback] = useState<Playback & { of: Sought | null }>({ ...NOTHING, of: null });
  const playing = useRef<Attached | null>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null || url === undefined || sought === null) return undefined;
    const from = sought.at;
    setPlayback({ at: from, failed: null, of: sought });
    const fail = (failed: Failed) => setPlayback((known) => ({ ...known, failed }));
    const play = () => {
      if (stands.current) return;
      element.play().catch(() => {
        element.muted = true;
        void element.play().catch(() => undefined);
      });
    };
    const attached = attach(element, url, from, fail, play);
    playing.current = attached;
    const tick = () => setPlayback((known) => ({ ...known, at: attached.dateOf() }));
    element.addEventListener('timeupdate', tick);
    return () => {
      element.removeEventListener('timeupdate', tick);
      attached.stop();
      playing.current = null;
    };
  }, [video, url, sought, stands]);
  const here = () => playing.current?.dateOf() ?? sought?.at ?? null;
  return { ...(playback.of === sought ? playback : NOTHING), here }; // what was played before says nothing of what is sought now
}
