/** Where the focus goes with a page: into its content, and on the way back to the link that led away. */
import { useRouter, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

/** A page may still be fetching what the link is in. */
const LOOK_MS = 50;
const LOOKS = 40;

/** Only where the focus was lost with what had it: a page that focuses a field itself, or a navigation that stays, is left alone. */
export function useFocusOfPage(): void {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const { history } = useRouter();
  const trail = useRef<string[]>([]);
  const last = useRef(-1);
  useEffect(() => {
    // a page that took another's place in the history takes it on the trail: the way back is the same
    const index = history.location.state['__TSR_index'];
    const known = index === last.current ? trail.current.slice(0, -1) : trail.current;
    const before = trail.current.at(-1);
    const back = known.at(-2) === path ? known.at(-1) : undefined;
    trail.current = back === undefined ? [...known.slice(-20), path] : known.slice(0, -1);
    last.current = index;
    if (before === undefined || before === path) return undefined;
    let looks = 0;
    const timer = setInterval(() => {
      const content = document.getElementById('content');
      const { activeElement } = document;
      looks += 1;
      if (content !== null && (activeElement === document.body || activeElement === content)) {
        const link = back === undefined ? null : content.querySelector<HTMLElement>(`a[href="${CSS.escape(back)}"], a[href^="${CSS.escape(back)}?"]`);
        (link ?? content).focus({ preventScroll: link === null });
        if (link !== null || back === undefined) looks = LOOKS;
      }
      if (looks >= LOOKS) clearInterval(timer);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [path, history]);
}
