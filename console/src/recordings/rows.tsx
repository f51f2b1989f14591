/** The timeline of several cameras: a row each, one playhead and one selection through all of them. */
import type { Camera } from '@novavms/sdk';
import { t } from '../text';
import type { Footage } from './footage';
import { HoverTime, Marks, Stretches } from './timeline';
import { useTrack, type Range } from './track';
import type { Window } from './window';

export interface Row {
  camera: Camera;
  footage: Footage | undefined;
}

export function Rows({
  rows,
  window,
  at,
  selection,
  onSeek,
  onSelect,
}: {
  rows: readonly Row[];
  window: Window;
  at: number | null;
  selection: Range | null;
  onSeek: (at: number) => void;
  /** Not for those who may keep nothing. */
  onSelect: ((range: Range) => void) | undefined;
}) {
  const { share, stretch, hover, props } = useTrack(window, at, onSeek, onSelect);
  return (
    <div className="timeline">
      <div className="rows" {...props} aria-label={t.recordings.timelineOf(rows.map(({ camera }) => camera.name))}>
        {rows.map(({ camera, footage }) => (
          <div key={camera.id} className="row-of" data-row={camera.id}>
            <span className="row-name cut">{camera.name}</span>
            <div className="track-bar">
              <Stretches footage={footage} stretch={stretch} />
            </div>
          </div>
        ))}
        {selection !== null && <span className="selected" style={stretch(selection.from, selection.to)} />}
        {at !== null && at >= window.from && at <= window.to && <span className="cursor" style={{ left: share(at) }} />}
        <HoverTime at={hover} share={share} />
      </div>
      <Marks window={window} share={share} />
    </div>
  );
}
