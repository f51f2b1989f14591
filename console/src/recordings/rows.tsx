/** The timeline of several cameras: a row each, one playhead through all of them. */
import type { Camera } from '@novavms/sdk';
import { useRef, type KeyboardEvent } from 'react';
import { t } from '../text';
import { clock } from '../text/when';
import type { Footage, Window } from './footage';
import { Marks } from './timeline';

export interface Row {
  camera: Camera;
  footage: Footage | undefined;
}

export function Rows({ rows, window, at, onSeek }: { rows: readonly Row[]; window: Window; at: number | null; onSeek: (at: number) => void }) {
  const track = useRef<HTMLDivElement>(null);
  const length = window.to - window.from;
  const part = (time: number) => Math.min(1, Math.max(0, (time - window.from) / length));
  const share = (time: number) => `${(part(time) * 100).toFixed(3)}%`;
  const stretch = (start: string, end: string) => {
    const [from, to] = [Date.parse(start), Date.parse(end)];
    return { left: share(from), width: `${((part(to) - part(from)) * 100).toFixed(3)}%` };
  };

  function press(event: KeyboardEvent): void {
    const step = event.shiftKey ? 60_000 : 10_000;
    const from = at ?? window.from;
    const wanted = { ArrowLeft: from - step, ArrowRight: from + step, Home: window.from, End: window.to - 10_000 }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(Math.min(window.to, Math.max(window.from, wanted)));
  }

  return (
    <div className="timeline">
      <div
        ref={track}
        className="rows"
        role="slider"
        tabIndex={0}
        aria-label={t.recordings.timelineOf(rows.map(({ camera }) => camera.name))}
        aria-valuemin={window.from}
        aria-valuemax={window.to}
        aria-valuenow={at ?? window.from}
        aria-valuetext={clock(at ?? window.from)}
        onKeyDown={press}
        onClick={(event) => {
          const box = track.current?.getBoundingClientRect();
          if (box !== undefined && box.width > 0) onSeek(window.from + ((event.clientX - box.left) / box.width) * length);
        }}
      >
        {rows.map(({ camera, footage }) => (
          <div key={camera.id} className="row-of" data-row={camera.id}>
            <span className="row-name cut">{camera.name}</span>
            <div className="track-bar">
              {footage?.gaps.map((gap) => (
                <span key={gap.start} className={`gap ${gap.reason}`} style={stretch(gap.start, gap.end)} title={t.recordings.reason[gap.reason] ?? gap.reason} />
              ))}
              {footage?.spans.map((span) => (
                <span key={span.start} className="footage" style={stretch(span.start, span.end)} />
              ))}
            </div>
          </div>
        ))}
        {at !== null && at >= window.from && at <= window.to && <span className="cursor" style={{ left: share(at) }} />}
      </div>
      <Marks window={window} share={share} />
    </div>
  );
}
