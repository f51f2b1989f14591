/** Which stretch of time is shown: earlier, later, now, a day, a length. */
import { useEffect, useRef } from 'react';
import { Button, DayField, IconButton, Segmented } from '../design/controls';
import { t } from '../text';
import { HOUR_MS, nextWindow, windowOf, type Seen, type Window } from './window';

type Shown = keyof typeof t.recordings.spans;
const SHOWN = ['600', '3600', '21600', '86400'] as const satisfies readonly Shown[];

const lengthOf = (shown: Shown) => Number(shown) * 1_000;

/** The choice that is nearest to what a window shows. */
function shownOf({ from, to }: Window): Shown {
  const apart = (shown: Shown) => Math.abs(lengthOf(shown) - (to - from));
  return SHOWN.reduce((best, each) => (apart(each) < apart(best) ? each : best));
}

/** What is played stays in sight. */
export function useInSight(at: number | null, window: Window, onWindow: (window: Window) => void): void {
  const before = useRef<Seen>({ at, window });
  useEffect(() => {
    const next = nextWindow(before.current, { at, window });
    before.current = { at, window };
    if (next !== null) onWindow(next);
  }, [at, window, onWindow]);
}

export function WindowBar({
  window,
  at,
  onWindow,
}: {
  window: Window;
  /** Where the player is: a new length is around it. */
  at: number | null;
  onWindow: (window: Window) => void;
}) {
  const length = window.to - window.from;
  const shift = (direction: 1 | -1) => {
    const by = direction * length;
    onWindow(window.to + by > Date.now() ? windowOf(length, null) : { from: window.from + by, to: window.to + by });
  };
  return (
    <div className="toolbar">
      <IconButton icon="left" label={t.recordings.earlier} onPress={() => shift(-1)} kind="plain" />
      <IconButton icon="right" label={t.recordings.later} onPress={() => shift(1)} kind="plain" />
      <Button onPress={() => onWindow(windowOf(length, null))}>{t.recordings.now}</Button>
      <DayField
        bare
        label={t.recordings.day}
        value={localDay(window.from)}
        onChange={(value) => {
          if (value === '') return;
          const midnight = new Date(`${value}T00:00`).getTime();
          onWindow({ from: midnight, to: midnight + 24 * HOUR_MS });
        }}
      />
      <span className="grow" />
      <Segmented
        label={t.recordings.span}
        value={shownOf(window)}
        onChange={(next) => onWindow(windowOf(lengthOf(next), at ?? (window.to >= Date.now() - 60_000 ? null : (window.from + window.to) / 2)))}
        options={SHOWN.map((id) => ({ id, label: t.recordings.spans[id] }))}
      />
    </div>
  );
}

function localDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
}
