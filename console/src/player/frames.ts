/** How far two frames of a video are apart, as they were shown. */
import { useEffect, useRef, type RefObject } from 'react';

/** Until the video has shown two frames, and says how far they are apart. */
export const FRAME_SEC = 1 / 25;

/** A frame that is dropped makes two intervals one: the shortest of so many is what the recording has. */
const LATEST = 12;

/** Calls back with seconds between frames, for as long as the answer is not called. */
export function measureFrames(element: HTMLVideoElement, tell: (sec: number) => void): () => void {
  if (!('requestVideoFrameCallback' in element)) return () => undefined;
  let last: number | null = null;
  let latest: number[] = [];
  let handle = 0;
  const look: VideoFrameRequestCallback = (_, { mediaTime }) => {
    const apart = last === null ? 0 : mediaTime - last;
    if (apart > 0.005 && apart < 1 && element.playbackRate <= 1 && !element.paused) {
      latest = [...latest.slice(1 - LATEST), apart];
      tell(Math.min(...latest));
    }
    last = mediaTime;
    handle = element.requestVideoFrameCallback(look);
  };
  handle = element.requestVideoFrameCallback(look);
  return () => element.cancelVideoFrameCallback(handle);
}

export function useFrameSec(video: RefObject<HTMLVideoElement | null>): RefObject<number> {
  const found = useRef(FRAME_SEC);
  useEffect(() => (video.current === null ? undefined : measureFrames(video.current, (sec) => (found.current = sec))), [video]);
  return found;
}
