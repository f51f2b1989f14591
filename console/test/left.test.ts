import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Left } from '../src/live/left.ts';

const MINUTE = 60_000;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date'], now: 0 });
});

/** Minutes until the way is due. */
const dueIn = (left: Left, way: 'mse' | 'webrtc' | 'hls' = 'webrtc') => (left.until(way) - Date.now()) / MINUTE;

test('a way is left for 1, 2, 4, 8, 10, 10 minutes', () => {
  const left = new Left();
  assert.equal(left.why('webrtc'), null);
  assert.ok(dueIn(left) <= 0);
  for (const minutes of [1, 2, 4, 8, 10, 10]) {
    left.leave('webrtc', 'nothing came', 'camera');
    assert.equal(dueIn(left), minutes);
    mock.timers.tick(minutes * MINUTE);
    assert.equal(left.why('webrtc'), 'nothing came', 'left until it has shown a picture');
  }
  left.takeUp('webrtc');
  assert.equal(left.why('webrtc'), null);
  left.leave('webrtc', 'again', 'camera');
  assert.equal(dueIn(left), 1, 'from the beginning');
});

test('what one camera does not show others may; what the network does not let through is left by all', () => {
  const [one, other] = [new Left(), new Left()];
  one.leave('webrtc', 'no picture', 'camera');
  assert.equal(other.why('webrtc'), null);
  one.leave('mse', 'no socket', 'network');
  assert.equal(other.why('mse'), 'no socket');
  other.leave('mse', 'no socket', 'network');
  assert.equal(dueIn(one, 'mse'), 1, 'two that find the same at once count as one');
  other.takeUp('mse');
  assert.equal(one.why('mse'), null);
});

test('a change of the network makes all due that may have become possible', () => {
  const left = new Left();
  left.leave('webrtc', 'no picture', 'camera');
  left.leave('mse', 'no socket', 'network');
  left.leave('hls', 'no MediaSource', 'browser');
  mock.timers.tick(100 * MINUTE);
  assert.equal(dueIn(left, 'hls'), Infinity);
  left.leave('mse', 'no socket', 'network');
  left.makeDue();
  assert.ok(dueIn(left) <= 0);
  assert.ok(dueIn(left, 'mse') <= 0);
  assert.equal(dueIn(left, 'hls'), Infinity);
  assert.equal(left.why('mse'), 'no socket');
  for (const way of ['mse', 'webrtc', 'hls'] as const) left.takeUp(way);
});
