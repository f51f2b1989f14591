/** A camera's live video in an element, while somebody can see it: nothing flows when nobody looks. */
import type { LiveTier } from '@novavms/sdk';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { useChoice } from './choice';
import { LiveSession } from './session';
import type { LiveState } from './way';

/** A page in the background for so long lets its cameras go. */
const HIDDEN_MS = 20_000;

function usePageSeen(): boolean {
  const [seen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => setSeen(false), HIDDEN_MS);
      else setSeen(true);
    };
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return seen;
}

/** null: not watched now. */
export function useLive(video: RefObject<HTMLVideoElement | null>, cameraId: string, tier: LiveTier, wanted: boolean): LiveState | null {
  const seen = usePageSeen();
  const choice = useChoice();
  const [state, setState] = useState<LiveState | null>(null);
  const session = useRef<LiveSession | null>(null);
  const firstTier = useRef(tier);
  useEffect(() => {
    firstTier.current = tier;
    session.current?.setTier(tier);
  }, [tier]);
  useEffect(() => {
    if (!wanted || !seen || video.current === null) return undefined;
    const made = new LiveSession(cameraId, video.current, firstTier.current, choice, setState);
    session.current = made;
    return () => {
      made.close();
      session.current = null;
      setState(null);
    };
  }, [video, cameraId, wanted, seen, choice]);
  return state;
}
