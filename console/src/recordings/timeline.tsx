/** A window of time of one camera: what is recorded, what is not and why, where the player is, what is selected. */
import type { FootageGap } from '@novavms/sdk';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useObjectUrl } from '../cameras/picture';
import { t } from '../text';
import { clock, day, duration, hour, useNow } from '../text/when';
import { glance, has, strip, type Footage } from './footage';
import { useTrack, type Range, type Track } from './track';
import type { Window } from './window';
import './recordings.css';

const TILES = 10;
/** The pointer rests so long before a picture is asked for. */
const REST_MS = 150;
/** As many moments of a window have a picture of their own. */
const MOMENTS = 240;
/** Seconds between marks, so that there are about eight of them. */
const MARKS = [30, 60, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600];

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
  onSeek: (at: number, how: 'press' | 'move') => void;
  onSelect: ((range: Range) => void) | undefined;
}) {
  const { share, stretch, hover, props } = useTrack(window, at, onSeek, onSelect);
  return (
    <div className="timeline">
      <Strip cameraId={camera.id} window={window} footage={footage} />
      <div className="track-bar" {...props} aria-label={t.recordings.timeline(camera.name)}>
        <Stretches footage={footage} stretch={stretch} />
        {selection !== null && <span className="selected" style={stretch(selection.from, selection.to)} />}
        {at !== null && at >= window.from && at <= window.to && <span className="cursor" style={{ left: share(at) }} />}
        <HoverTime at={hover} share={share} />
        <HoverPicture key={camera.id} cameraId={camera.id} window={window} footage={footage} at={hover} share={share} />
      </div>
      <Marks window={window} share={share} />
    </div>
  );
}

/** What there is, where pictures of it are missing, and where there is nothing. */
export function Stretches({ footage, stretch }: { footage: Footage | undefined; stretch: Track['stretch'] }) {
  return (
    <>
      {footage?.gaps.map((gap) => (
        <span key={gap.start} className={`gap ${gap.reason}`} style={stretch(gap.start, gap.end)} title={t.recordings.reason[gap.reason] ?? gap.reason} />
      ))}
      {footage?.spans.map((span) => (
        <span key={span.start} className="footage" style={stretch(span.start, span.end)} />
      ))}
      {footage?.losses.map((loss) => (
        <span key={loss.start} className="loss" style={stretch(loss.start, loss.end)} title={t.recordings.lossy(loss.lossySec.toFixed(1))} />
      ))}
    </>
  );
}

export function HoverTime({ at, share }: { at: number | null; share: Track['share'] }) {
  if (at === null) return null;
  return (
    <span className="hover-time number" style={{ left: share(at) }}>
      {clock(at)}
    </span>
  );
}

/** The picture of where the pointer rests, if there is one. */
function HoverPicture({ cameraId, window, footage, at, share }: { cameraId: string; window: Window; footage: Footage | undefined; at: number | null; share: Track['share'] }) {
  const every = Math.max(1_000, Math.round((window.to - window.from) / MOMENTS));
  const wanted = at === null ? null : Math.floor(at / every) * every;
  const [rested, setRested] = useState<number | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setRested(wanted), wanted === null ? 0 : REST_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const recorded = (time: number) => footage?.spans.some(has(time)) ?? false;
  const { data } = useQuery({ ...glance(cameraId, rested ?? 0), enabled: rested !== null && recorded(rested), placeholderData: keepPreviousData });
  const url = useObjectUrl(data);
  if (at === null || url === null || !recorded(at)) return null;
  return (
    <span className="hover-picture" style={{ left: `clamp(90px, ${share(at)}, calc(100% - 90px))` }} aria-hidden="true">
      <img src={url} alt="" draggable={false} />
    </span>
  );
}

export function Marks({ window, share }: { window: Window; share: Track['share'] }) {
  const length = (window.to - window.from) / 1_000;
  const every = (MARKS.find((sec) => length / sec <= 10) ?? 21_600) * 1_000;
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

/** Ten pictures side by side, each over its share of the window; where nothing is recorded the picture is black, and is covered. */
function Strip({ cameraId, window, footage }: { cameraId: string; window: Window; footage: Footage | undefined }) {
  const now = useNow();
  const { data } = useQuery({ ...strip(cameraId, window, TILES), enabled: window.from < now });
  const url = useObjectUrl(data);
  const tile = (Math.min(now, window.to) - window.from) / TILES;
  // each picture is of the middle of its share
  const hasNone = (index: number) => footage !== undefined && !footage.spans.some(has(window.from + (index + 0.5) * tile));
  return (
    <div className="strip">
      {url !== null && (
        <div className="strip-pictures" style={{ width: `${((tile * TILES) / (window.to - window.from)) * 100}%` }}>
          <img src={url} alt={t.recordings.strip} draggable={false} />
          {Array.from({ length: TILES }, (_, index) => index)
            .filter(hasNone)
            .map((index) => (
              <span key={index} style={{ left: `${(index * 100) / TILES}%`, width: `${100 / TILES}%` }} />
            ))}
        </div>
      )}
    </div>
  );
}

/** A short gap begins and ends at a second; one may end on another day. */
function times({ start, end, durationSec }: FootageGap): string {
  const exact = durationSec < 600 ? clock : hour;
  return `${exact(start)} – ${day(start) === day(end) ? '' : `${day(end)}, `}${exact(end)}`;
}

/** The gaps and losses in words: what colours alone do not say. */
export function Gaps(props: { footage: Footage | undefined; onSeek: (at: number) => void }) {
  return (
    <>
      <GapList {...props} />
      <Losses {...props} />
    </>
  );
}

/** One sentence, and where the newest is. */
function Losses({ footage, onSeek }: { footage: Footage | undefined; onSeek: (at: number) => void }) {
  const losses = footage?.losses ?? [];
  const newest = losses.at(-1);
  if (newest === undefined) return null;
  const lost = losses.reduce((sum, { lossySec }) => sum + lossySec, 0);
  return (
    <ul className="gap-list">
      <li>
        <span className="gap-swatch loss-swatch" aria-hidden="true" />
        <button type="button" className="gap-button" onClick={() => onSeek(Date.parse(newest.start))}>
          <span>{t.recordings.lossy(lost.toFixed(1))}</span>
          <span className="small faint number">{t.recordings.lossyAt(losses.length, `${day(newest.start)}, ${clock(newest.start)}`)}</span>
        </button>
      </li>
    </ul>
  );
}

function GapList({ footage, onSeek }: { footage: Footage | undefined; onSeek: (at: number) => void }) {
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
              {`${day(gap.start)}, ${times(gap)} · ${duration(gap.durationSec)}`}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
