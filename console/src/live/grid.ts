/** Which cameras stand where on the Live page, kept in this browser for each person. */
import { useState } from 'react';

export type Layout = '1' | '2' | '3' | '4';
export type Cells = readonly (string | null)[];

export interface Grid {
  layout: Layout;
  cells: Cells;
}

export interface SavedGrid extends Grid {
  name: string;
}

interface Kept {
  now: Grid | null;
  saved: readonly SavedGrid[];
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
    const found = JSON.parse(localStorage.getItem(keyOf(personId)) ?? 'null') as Kept | null;
    if (found !== null && Array.isArray(found.saved)) return found;
  } catch {
    // no storage, or something else's
  }
  return { now: null, saved: [] };
}

export interface Grids {
  grid: Grid | null;
  saved: readonly SavedGrid[];
  show: (grid: Grid) => void;
  save: (name: string, grid: Grid) => void;
  remove: (name: string) => void;
}

export function useGrids(personId: string): Grids {
  const [kept, setKept] = useState(() => read(personId));
  const keep = (next: Kept) => {
    setKept(next);
    try {
      localStorage.setItem(keyOf(personId), JSON.stringify(next));
    } catch {
      // no storage: as long as the page lives
    }
  };
  return {
    grid: kept.now,
    saved: kept.saved,
    show: ({ layout, cells }) => keep({ ...kept, now: { layout, cells } }),
    save: (name, { layout, cells }) =>
      keep({ now: { layout, cells }, saved: [...kept.saved.filter((each) => each.name !== name), { layout, cells, name }] }),
    remove: (name) => keep({ ...kept, saved: kept.saved.filter((each) => each.name !== name) }),
  };
}
