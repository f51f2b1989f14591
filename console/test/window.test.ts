import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { firstWindow, HOUR_MS, nextWindow, windowOf, type Window } from '../src/recordings/window.ts';

const NOW = 100 * HOUR_MS;
const MINUTE = 60_000;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date'], now: NOW + 1 });
});

test('a window ends now, on the next ten seconds, or has a moment in its middle', () => {
  assert.deepEqual(windowOf(HOUR_MS, null), { from: NOW + 10_000 - HOUR_MS, to: NOW + 10_000 });
  assert.deepEqual(windowOf(HOUR_MS, NOW - 2 * HOUR_MS), { from: NOW - 2.5 * HOUR_MS, to: NOW - 1.5 * HOUR_MS });
  assert.equal(windowOf(HOUR_MS, NOW - MINUTE).to, NOW + 10_000, 'never the future');
});

test('a new camera begins with ten minutes', () => {
  const lengthOf = ({ from, to }: Window) => to - from;
  assert.equal(lengthOf(firstWindow(new Date(NOW - 5 * MINUTE).toISOString(), null)), 10 * MINUTE);
  assert.equal(lengthOf(firstWindow(new Date(NOW - 30 * MINUTE).toISOString(), null)), HOUR_MS);
});

test('the window goes with what leaves it while it plays, forwards and backwards', () => {
  const window = { from: NOW - 3 * HOUR_MS, to: NOW - 2 * HOUR_MS };
  const after = (was: number, at: number) => nextWindow({ at: was, window }, { at, window });
  assert.equal(after(window.from, window.to), null, 'still in it');
  assert.deepEqual(after(window.to - 250, window.to + 1), windowOf(HOUR_MS, window.to + 1));
  assert.deepEqual(after(window.from + 250, window.from - 1), windowOf(HOUR_MS, window.from - 1));
});

test('a window that was chosen elsewhere stays', () => {
  const window = { from: NOW - 3 * HOUR_MS, to: NOW - 2 * HOUR_MS };
  const earlier = { from: NOW - 4 * HOUR_MS, to: NOW - 3 * HOUR_MS };
  const at = NOW - 2.5 * HOUR_MS;
  assert.equal(nextWindow({ at, window }, { at: at + 250, window: earlier }), null, 'it was moved away from what plays');
  assert.equal(nextWindow({ at, window: earlier }, { at: at + 250, window: earlier }), null, 'and what plays goes on outside it');
  assert.equal(nextWindow({ at: null, window }, { at, window: earlier }), null);
});
