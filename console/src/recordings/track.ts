/** A bar that is a window of time: pressing it seeks, dragging over it selects, arrow keys move. */
import { useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent } from 'react';
import { clock } from '../text/when';
import type { Window } from './window';

const DRAG_PX = 6;

export interface Range {
  from: number;
  to: number;
}

export interface Track {
  /** A share of the bar's width, as CSS has it. */
  share: (time: number) => string;
  stretch: (from: string | number, to: string | number) => CSSProperties;
  /** Where the pointer is. */
  hover: number | null;
  /** For the element that is the bar. */
  props: object;
}

/** Without `onSelect` nothing can be selected. */
export function useTrack(window: Window, at: number | null, onSeek: (at: number, how: 'press' | 'move') => void, onSelect?: (range: Range) => void): Track {
  const down = useRef<{ x: number; at: number } | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const length = window.to - window.from;
  const share = (time: number) => `${(Math.min(1, Math.max(0, (time - window.from) / length)) * 100).toFixed(3)}%`;
  const stretch = (from: string | number, to: string | number) => {
    const start = Math.max(window.from, new Date(from).getTime());
    const end = Math.min(window.to, new Date(to).getTime());
    return { left: share(start), width: `${(Math.max(0, (end - start) / length) * 100).toFixed(3)}%` };
  };

  function timeOf(event: PointerEvent): number {
    const box = event.currentTarget.getBoundingClientRect();
    if (box.width === 0) return window.from;
    return window.from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * length;
  }
  const dragged = (event: PointerEvent) => onSelect !== undefined && down.current !== null && Math.abs(event.clientX - down.current.x) > DRAG_PX;

  function press(event: KeyboardEvent): void {
    const step = event.shiftKey ? 60_000 : 10_000;
    const from = at ?? window.from;
    const wanted = { ArrowLeft: from - step, ArrowRight: from + step, Home: window.from, End: window.to - 10_000 }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(Math.min(window.to, Math.max(window.from, wanted)), 'move');
  }

  const props = {
    role: 'slider',
    tabIndex: 0,
    'aria-valuemin': window.from,
    'aria-valuemax': window.to,
    'aria-valuenow': Math.round(at ?? window.from),
    'aria-valuetext': clock(at ?? window.from),
    onKeyDown: press,
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      down.current = { x: event.clientX, at: timeOf(event) };
    },
    onPointerMove: (event: PointerEvent) => {
      const time = timeOf(event);
      setHover(time);
      if (down.current !== null && dragged(event)) onSelect?.({ from: Math.min(down.current.at, time), to: Math.max(down.current.at, time) });
    },
    onPointerUp: (event: PointerEvent) => {
      if (down.current !== null && !dragged(event)) onSeek(timeOf(event), 'press');
      down.current = null;
    },
    onPointerCancel: () => (down.current = null),
    onPointerLeave: () => setHover(null),
  };
  return { share, stretch, hover, props };
}
