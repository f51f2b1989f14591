import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewer, neighbours, stretchAround, type Ask, type Listed } from '../src/events/around.ts';

const MINUTE = 60_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');

/** An event of so many minutes before noon. */
const ago = (minutes: number, id = `e${String(minutes).padStart(6, '0')}`): Listed => ({
  id,
  triggeredAt: new Date(NOON - minutes * MINUTE).toISOString().replace('.000Z', 'Z'),
});

/** The API's list: newest first, three to a page, up to a time; `asked`: how often. */
function lists(all: readonly Listed[]): { ask: Ask; asked: () => number } {
  const sorted = all.toSorted((one, other) => (isNewer(one, other) ? -1 : 1));
  let count = 0;
  const ask: Ask = ({ dateTo, cursor }) => {
    count += 1;
    const end = typeof dateTo !== 'string' ? Infinity : Date.parse(dateTo) + (dateTo.length === 10 ? 1_440 * MINUTE : 0);
    const listed = sorted.filter(({ triggeredAt }) => Date.parse(triggeredAt) < end);
    const from = Number(cursor ?? 0);
    return Promise.resolve({ data: listed.slice(from, from + 3), nextCursor: from + 3 < listed.length ? String(from + 3) : null });
  };
  return { ask, asked: () => count };
}

test('an event has the neighbours that the list says, wherever it is in it', async () => {
  const all = Array.from({ length: 40 }, (_, index) => ago(index ** 3));
  for (const [index, at] of all.entries()) {
    for (const dateTo of [undefined, '2026-03-01', '2026-03-01T12:00:01Z']) {
      const found = neighbours(await stretchAround(at, { dateTo }, lists(all).ask), at);
      assert.deepEqual(found, { newer: all[index - 1]?.id ?? null, older: all[index + 1]?.id ?? null }, `${index} up to ${dateTo}`);
    }
  }
});

test('one that is not in the list any more has neighbours in it, and one alone has none', async () => {
  const [newer, gone, older] = [ago(10), ago(20), ago(30)];
  const { ask, asked } = lists([newer, older]);
  assert.deepEqual(neighbours(await stretchAround(gone, {}, ask), gone), { newer: newer.id, older: older.id });
  assert.equal(asked(), 1);
  assert.deepEqual(neighbours(await stretchAround(gone, {}, lists([gone]).ask), gone), { newer: null, older: null });
});

test('deep in a long list it is not walked through from the top', async () => {
  const all = Array.from({ length: 5_000 }, (_, index) => ago(index));
  const { ask, asked } = lists(all);
  assert.deepEqual(neighbours(await stretchAround(all[4_000] as Listed, {}, ask), all[4_000] as Listed), { newer: all[3_999]?.id, older: all[4_001]?.id });
  assert.ok(asked() <= 6, `${asked()} requests`);
});

test('events of one moment are in the order of their ids, and times in that of their digits', async () => {
  const all = ['d', 'c', 'b', 'a'].map((id) => ago(5, id));
  const found = neighbours(await stretchAround(all[2] as Listed, {}, lists(all).ask), all[2] as Listed);
  assert.deepEqual(found, { newer: 'c', older: 'a' });
  const times = ['12:00:00Z', '12:00:00.000001Z', '12:00:00.1Z', '12:00:00.12Z', '12:00:01Z'].map((at) => ({ id: 'x', triggeredAt: `2026-03-01T${at}` }));
  for (const [index, time] of times.entries()) assert.ok(times.slice(index + 1).every((later) => isNewer(later, time) && !isNewer(time, later)));
});

test('what a part of the list does not show is not claimed', () => {
  const part = { events: [ago(10), ago(20)], fromTop: true, toEnd: false };
  assert.deepEqual(neighbours(part, ago(20)), { newer: ago(10).id, older: undefined } satisfies ReturnType<typeof neighbours>, 'its end');
  assert.deepEqual(neighbours(part, ago(90)), { newer: undefined, older: undefined }, 'far below it');
  assert.deepEqual(neighbours({ ...part, fromTop: false }, ago(5)), { newer: undefined, older: undefined }, 'above it');
});
