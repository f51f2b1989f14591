/** Which cameras stand where on the Live page now, kept in this browser for each person. What has a name is the API's: `saved.ts`. */
import { useState } from 'react';

export type Layout = '1' | '2' | '3' | '4';
export type Cells = readonly (string | null)[];

export interface Arrangement {
  layout: Layout;
  cells: Cells;
}

export interface OldGrid extends Arrangement {
  name: string;
}

interface Kept {
  now: Arrangement | null;
  /** An older console's; a newer one moves them to the API. */
  saved: readonly OldGrid[];
}

export const placesOf = (layout: Layout): number => Number(layout) ** 2;

/** As many cells as the layout has places; what falls off is gone, what is new is empty. */
export function fitted(cells: Cells, layout: Layout): Cells {
  return Array.from({ length: placesOf(layout) }, (_, place) => cells[place] ?? null);
}

/** The smallest layout for so many cameras. */
export function layoutFor(cameras: number): Layout {
  return (['1', '2', '3'] as const).find((layout) => placesOf(layout) >= cameras) ?? '4';
}

/** Two places change what they show. */
export function swapped(cells: Cells, one: number, other: number): Cells {
  const next = [...cells];
  [next[one], next[other]] = [cells[other] ?? null, cells[one] ?? null];
  return next;
}

/** Where an arrow key leads from a place; the place itself at the edge. */
export function neighbour(place: number, key: string, columns: number, places: number): number {
  const [row, column] = [Math.floor(place / columns), place % columns];
  if (key === 'ArrowLeft' && column > 0) return place - 1;
  if (key === 'ArrowRight' && column < columns - 1 && place + 1 < places) return place + 1;
  if (key === 'ArrowUp' && row > 0) return place - columns;
  if (key === 'ArrowDown' && place + columns < places) return place + columns;
  return place;
}

const keyOf = (personId: string) => `novavms.live.${personId}`;

function read(personId: string): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(personId)) ?? 'null') as Partial<Kept> | null;
    if (found !== null) return { now: found.now ?? null, saved: Array.isArray(found.saved) ? found.saved : [] };
  } catch {
    // no storage, or something else's
  }
  return { now: null, saved: [] };
}

function write(personId: string, kept: Kept): void {
  try {
    localStorage.setItem(keyOf(personId), JSON.stringify(kept));
  } catch {
    // no storage: as long as the page lives
  }
}

/** Grids that an older console kept here, before the API had any. */
export const leftHere = (personId: string): readonly OldGrid[] => read(personId).saved;

/** It has moved to the API. */
export function forget(personId: string, name: string): void {
  const kept = read(personId);
  write(personId, { ...kept, saved: kept.saved.filter((each) => each.name !== name) });
}

/** What the wall shows now; null: never arranged here. */
export function useWall(personId: string): [Arrangement | null, (next: Arrangement) => void] {
  const [now, setNow] = useState(() => read(personId).now);
  const show = ({ layout, cells }: Arrangement) => {
    const next = { layout, cells };
    setNow(next);
    write(personId, { ...read(personId), now: next });
  };
  return [now, show];
}
