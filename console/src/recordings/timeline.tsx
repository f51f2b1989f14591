/** A window of time of one camera: what is recorded, what is not and why, where the player is, what is selected. */
import { useQuery } from '@tanstack/react-query';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useObjectUrl } from '../cameras/picture';
import { t } from '../text';
import { clock, day, duration, hour, useNow } from '../text/when';
import { strip, type Footage, type Window } from './footage';
import './recordings.css';

const DRAG_PX = 6;
const TILES = 10;
/** Seconds between marks, so that there are about eight of them. */
const MARKS = [30, 60, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600];

export interface Range {
  from: number;
  to: number;
}

export function Timeline({
  camera,
  window,
  footage,
  at,
  selection,
  onSeek,
  onSelect,
}: {
  camera: { id: string; name: string };
  window: Window;
  footage: Footage | undefined;
  at: number | null;
  selection: Range | null;
  onSeek: (at: number) => void;
  onSelect: (range: Range | null) => void;
}) {
  const track = useRef<HTMLDivElement>(null);
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
    const box = track.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return window.from;
    return window.from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * length;
  }

  function move(event: PointerEvent): void {
    const time = timeOf(event);
    setHover(time);
    if (down.current !== null && Math.abs(event.clientX - down.current.x) > DRAG_PX) {
      onSelect({ from: Math.min(down.current.at, time), to: Math.max(down.current.at, time) });
    }
  }

  function up(event: PointerEvent): void {
    if (down.current !== null && Math.abs(event.clientX - down.current.x) <= DRAG_PX) onSeek(timeOf(event));
    down.current = null;
  }

  function press(event: KeyboardEvent): void {
    const sec = event.shiftKey ? 60 : 10;
    const from = at ?? window.from;
    const wanted = { ArrowLeft: from - sec * 1_000, ArrowRight: from + sec * 1_000, Home: window.from, End: window.to - 10_000 }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(Math.min(window.to, Math.max(window.from, wanted)));
  }

  return (
    <div className="timeline">
      <Strip cameraId={camera.id} window={window} />
      <div
        ref={track}
        className="track-bar"
        role="slider"
        tabIndex={0}
        aria-label={t.recordings.timeline(camera.name)}
        aria-valuemin={window.from}
        aria-valuemax={window.to}
        aria-valuenow={at ?? window.from}
        aria-valuetext={clock(at ?? window.from)}
        onKeyDown={press}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          down.current = { x: event.clientX, at: timeOf(event) };
        }}
        onPointerMove={move}
        onPointerUp={up}
        onPointerLeave={() => setHover(null)}
      >
        {footage?.gaps.map((gap) => (
          <span key={gap.start} className={`gap ${gap.reason}`} style={stretch(gap.start, gap.end)} title={t.recordings.reason[gap.reason] ?? gap.reason} />
        ))}
        {footage?.spans.map((span) => (
          <span key={span.start} className="footage" style={stretch(span.start, span.end)} />
        ))}
        {selection !== null && <span className="selected" style={stretch(selection.from, selection.to)} />}
        {at !== null && at >= window.from && at <= window.to && <span className="cursor" style={{ left: share(at) }} />}
        {hover !== null && (
          <span className="hover-time number" style={{ left: share(hover) }}>
            {clock(hover)}
          </span>
        )}
      </div>
      <Marks window={window} share={share} />
    </div>
  );
}

export function Marks({ window, share }: { window: Window; share: (time: number) => string }) {
  const length = (window.to - window.from) / 1_000;
  const every = (MARKS.find((sec) => length / sec <= 9) ?? 21_600) * 1_000;
  const offset = new Date(window.from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((window.from - offset) / every) * every + offset;
  const marks = Array.from({ length: Math.max(0, Math.ceil((window.to - first) / every)) }, (_, index) => first + index * every);
  return (
    <div className="marks number" aria-hidden="true">
      {marks.filter((time) => time - window.from > length * 20 && window.to - time > length * 20).map((time) => (
        <span key={time} style={{ left: share(time) }}>
          {every < 60_000 ? clock(time) : hour(time)}
        </span>
      ))}
    </div>
  );
}

/** Ten pictures side by side, each over its share of the window. */
function Strip({ cameraId, window }: { cameraId: string; window: Window }) {
  const now = useNow();
  const { data } = useQuery({ ...strip(cameraId, window, TILES), enabled: window.from < now });
  const url = useObjectUrl(data);
  const width = `${Math.min(1, (now - window.from) / (window.to - window.from)) * 100}%`;
  return <div className="strip">{url !== null && <img src={url} alt={t.recordings.strip} style={{ width }} draggable={false} />}</div>;
}

/** The gaps as a list: what colours alone do not say. */
export function Gaps({ footage, onSeek }: { footage: Footage | undefined; onSeek: (at: number) => void }) {
  const gaps = (footage?.gaps ?? []).filter(({ reason }) => reason !== 'not_reported_yet').toReversed();
  if (gaps.length === 0) return <p className="quiet">{t.recordings.noGaps}</p>;
  return (
    <ul className="gap-list">
      {gaps.slice(0, 12).map((gap) => (
        <li key={gap.start}>
          <span className={`gap-swatch ${gap.reason}`} aria-hidden="true" />
          <button type="button" className="gap-button" onClick={() => onSeek(Date.parse(gap.end))}>
            <span>{t.recordings.reason[gap.reason] ?? gap.reason}</span>
            <span className="small faint number">
              {`${day(gap.start)}, ${hour(gap.start)} – ${hour(gap.end)} · ${duration(gap.durationSec)}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
