/** Single keys for reviewing, while nobody types and no dialog is open. */
import { useEffect, useRef } from 'react';

export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const known = useRef(keys);
  useEffect(() => {
    known.current = keys;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.closest('input:not([type=range]), textarea, select, [role=dialog], [role=menu], [role=listbox]') !== null) return;
      const act = known.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      // a button that has the focus is pressed by the space bar: that is what it is for
      if (act === undefined || (event.key === ' ' && target.closest('button, a') !== null)) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}

/** Leaves a page that is there for one task, from anywhere on it; null where something would be lost. What is open on it closes first. */
export function useEscape(act: (() => void) | null): void {
  const known = useRef(act);
  useEffect(() => {
    known.current = act;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if ((event.target as HTMLElement).closest('[role=dialog], [role=menu], [role=listbox]') === null) known.current?.();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}
