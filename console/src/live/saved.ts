/** Grids that are kept under a name, by the API: they are there wherever the person signs in. */
import { ConflictError, type Camera, type Grid } from '@novavms/sdk';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { client } from '../api/client';
import { tellError } from '../design/toasts';
import { fitted, forget, leftHere, type Arrangement, type Layout, type OldGrid } from './grid';

const TRIES = 9;

export const arrangementOf = ({ columns, cameras }: Grid): Arrangement => ({ layout: String(columns) as Layout, cells: cameras });

/** As the API wants them: each camera once, as many as there are places. */
export function placesFor({ layout, cells }: Arrangement, known: (id: string) => boolean): { columns: number; cameras: (string | null)[] } {
  const cameras = fitted(cells, layout).map((id, place) => (id !== null && known(id) && cells.indexOf(id) === place ? id : null));
  return { columns: Number(layout), cameras };
}

const asked = new Set<string>();

/** Moves what an older console kept in this browser, once a visit. What fails stays here, for the next one. */
export function useMove(personId: string, cameras: readonly Camera[]): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (asked.has(personId)) return;
    asked.add(personId);
    const left = leftHere(personId);
    if (left.length === 0) return;
    void moveAll(personId, left, (id) => cameras.some((each) => each.id === id)).then(() => queries.invalidateQueries({ queryKey: ['grids'] }));
  }, [personId, cameras, queries]);
}

async function moveAll(personId: string, left: readonly OldGrid[], known: (id: string) => boolean): Promise<void> {
  const failures: unknown[] = [];
  for (const old of left) {
    try {
      await move(old, known);
      forget(personId, old.name);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) tellError(failures[0]);
}

/** Under its name; where another grid of the person's has that, with a number. */
async function move(old: OldGrid, known: (id: string) => boolean): Promise<void> {
  const wanted = placesFor(old, known);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? old.name : `${old.name} (${number})`;
    try {
      await client.grids.create({ name, ...wanted });
      return;
    } catch (error) {
      if (!isNameTaken(error) || number === TRIES) throw error;
      if (await isThere(name, wanted.cameras)) return; // another tab was faster
    }
  }
}

const isNameTaken = (error: unknown) => error instanceof ConflictError && error.details.some(({ field }) => field === 'name');

async function isThere(name: string, cameras: readonly (string | null)[]): Promise<boolean> {
  for await (const grid of client.grids.list({ limit: 100 })) {
    if (grid.isMine && grid.name === name) return grid.cameras.join() === cameras.join();
  }
  return false;
}
