/** HLS into a video element. hls.js is a chunk of its own, fetched with the first recording that is played. */
import { useEffect, useState, type RefObject } from 'react';

export interface Playback {
  /** Wall-clock time of the picture, ms since 1970. */
  at: number | null;
  failed: 'format' | 'network' | null;
}

/** Plays `url`, whose first picture is of about `from`. Ends what was played before. */
export function useHls(video: RefObject<HTMLVideoElement | null>, url: string | undefined, from: number | null): Playback {
  const [playback, setPlayback] = useState<Playback>({ at: null, failed: null });
  useEffect(() => {
    const element = video.current;
    if (element === null || url === undefined || from === null) return undefined;
    setPlayback({ at: from, failed: null });
    let ended = false;
    let stop = () => {};
    let dateOf = (): number => from + element.currentTime * 1_000;
    const tick = () => {
      if (!ended) setPlayback((known) => ({ ...known, at: dateOf() }));
    };
    element.addEventListener('timeupdate', tick);
    const fail = (failed: Playback['failed']) => setPlayback((known) => ({ ...known, failed }));

    async function begin(target: HTMLVideoElement, address: string): Promise<void> {
      const { default: Hls } = await import('hls.js/light');
      if (ended) return;
      if (!Hls.isSupported()) {
        target.src = address;
        return;
      }
      const hls = new Hls({ enableWorker: false, maxBufferLength: 30, startFragPrefetch: true });
      stop = () => hls.destroy();
      dateOf = () => hls.playingDate?.getTime() ?? from! + target.currentTime * 1_000;
      hls.on(Hls.Events.ERROR, (_, told) => {
        if (told.fatal) fail(told.type === Hls.ErrorTypes.MEDIA_ERROR ? 'format' : 'network');
      });
      hls.on(Hls.Events.MANIFEST_PARSED, () => {
        target.play().catch(() => {
          target.muted = true;
          void target.play().catch(() => undefined);
        });
      });
      hls.loadSource(address);
      hls.attachMedia(target);
    }

    void begin(element, url);
    return () => {
      ended = true;
      element.removeEventListener('timeupdate', tick);
      stop();
      element.removeAttribute('src');
    };
  }, [video, url, from]);
  return playback;
}
