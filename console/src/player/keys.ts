/** Single keys for reviewing, while nobody types and no dialog is open. */
import { useEffect, useRef } from 'react';

const OPEN = '[role=dialog], [role=menu], [role=listbox]';

function useKeydown(listen: (event: KeyboardEvent) => void): void {
  const known = useRef(listen);
  useEffect(() => {
    known.current = listen;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => known.current(event);
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useKeydown((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (target.closest(`input:not([type=range]), textarea, select, ${OPEN}`) !== null) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // a button that has the focus is pressed by the space bar: that is what it is for
    if (act === undefined || (event.key === ' ' && target.closest('button, a') !== null)) return;
    event.preventDefault();
    act();
  });
}

/** Leaves a page that is there for one task, from anywhere on it; null where something would be lost. What is open on it closes first. */
export function useEscape(act: (() => void) | null): void {
  useKeydown((event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    if ((event.target as HTMLElement).closest(OPEN) === null) act?.();
  });
}
