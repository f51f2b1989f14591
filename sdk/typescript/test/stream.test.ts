import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { APIConnectionError, PermissionDeniedError, ResponseError, type StreamItem } from '../dist/esm/index.js';
import { EventParser } from '../dist/esm/sse.js';
import { Script, clientOf, error, hangUp, hurried, json, silence, type Answer } from './server.ts';

const HEAD = { 'content-type': 'text/event-stream' };
const AT = '2026-03-01T12:14:03Z';
const event = (id: number, type: string, data: object) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ at: AT, ...data })}\n\n`;
/** The number that a test put into an item. */
const number = (item: StreamItem | undefined) => (item?.data as unknown as { n: number }).n;

/** Says the text, then loses the connection (or keeps it). */
function says(text: string, keep = false): Answer {
  return (response: ServerResponse) => {
    response.writeHead(200, HEAD).write(text, () => {
      if (!keep) response.socket?.destroy();
    });
  };
}

async function take(stream: AsyncIterable<StreamItem>, count: number): Promise<StreamItem[]> {
  const found: StreamItem[] = [];
  for await (const item of stream) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}

test('the parser takes text in any pieces and with any line ends', () => {
  const text = '\uFEFF: ping\r\nid: 1\r\nevent: clip\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:x\r\rid\nunknown: y\nevent: z\ndata\n\nid: 2\ndata: last, cut';
  const whole = new EventParser().push(text.slice(1));
  assert.deepEqual(whole, [
    { id: '1', event: 'clip', data: '{"a":\n1}' },
    { id: '1', event: 'message', data: 'x' },
    { id: '', event: 'z', data: '' },
  ]);
  for (let size = 1; size < 9; size += 1) {
    const parser = new EventParser();
    const found = [];
    for (let at = 1; at < text.length; at += size) found.push(...parser.push(text.slice(at, at + size)));
    assert.deepEqual(found, whole, `in pieces of ${size}`);
  }
});

test('the parser refuses an event without end', () => {
  const parser = new EventParser();
  assert.throws(() => {
    for (let turn = 0; turn < 10; turn += 1) parser.push('x'.repeat(1_000_000));
  }, ResponseError);
});

test('items come in camelCase, with what was asked for', async () => {
  await using script = await Script.start(
    says(event(1, 'hello', {}) + ': ping\n\n' + event(2, 'camera_status', { camera_id: 'c1', status: 'online' }), true),
  );
  let connected = 0;
  const options = { onConnect: () => void (connected += 1) };
  const stream = clientOf(script).stream.events({ types: ['camera_status', 'clip'], siteId: 's1' }, options);
  assert.deepEqual(await take(stream, 1), [{ id: '2', type: 'camera_status', at: AT, data: { cameraId: 'c1', status: 'online' } }]);
  assert.equal(script.seen[0]?.url, '/api/v1/stream?types=camera_status%2Cclip&site_id=s1');
  assert.equal(script.seen[0]?.headers['last-event-id'], undefined);
  assert.equal(script.seen[0]?.headers.accept, 'text/event-stream');
  assert.equal(connected, 1);
});

test('a lost connection goes on after the last item; hello counts as a position', async () => {
  await using script = await Script.start(
    says(event(1, 'hello', {})),
    says(event(2, 'clip', { n: 2 }) + event(3, 'clip', { n: 3 }) + 'id: 4\nevent: clip\ndata: {"n": 4'),
    error(503, 'unavailable'),
    hangUp,
    says(event(4, 'clip', { n: 4 }), true),
  );
  const found = await take(clientOf(script).stream.events(), 3);
  assert.deepEqual(found.map(number), [2, 3, 4]);
  assert.deepEqual(script.seen.map((seen) => seen.headers['last-event-id']), [undefined, '1', '3', '3', '3']);
});

test('a position of your own is gone on from, and a reset is told', async () => {
  await using script = await Script.start(says(event(9, 'hello', {}) + event(9, 'reset', { reason: 'too_old' }) + event(11, 'clip', {}), true));
  const found = await take(clientOf(script).stream.events({ lastEventId: '5' }), 2);
  assert.equal(script.seen[0]?.headers['last-event-id'], '5');
  assert.deepEqual(found.map((item) => item.type), ['reset', 'clip']);
});

test('an item that comes twice is told once; the end is followed by the next beginning', async () => {
  await using script = await Script.start(
    says(event(1, 'clip', { n: 1 }) + event(2, 'clip', { n: 2 }) + 'event: end\ndata: {"reason": "shutting_down"}\n\n'),
    says(event(2, 'clip', { n: 2 }) + event(3, 'clip', { n: 3 }), true),
  );
  assert.deepEqual((await take(clientOf(script).stream.events(), 3)).map(number), [1, 2, 3]);
  assert.equal(script.seen[1]?.headers['last-event-id'], '2');
});

test('a garbled item is asked for again; one that stays garbled is an error', async () => {
  const garbled = says(event(1, 'hello', {}) + event(2, 'clip', { n: 2 }) + 'id: 3\nevent: clip\ndata: {"n": \n\n', true);
  await using script = await Script.start(garbled, says(event(3, 'clip', { n: 3 }), true));
  assert.deepEqual((await take(clientOf(script).stream.events(), 2)).map(number), [2, 3]);
  assert.equal(script.seen[1]?.headers['last-event-id'], '2');
  await using broken = await Script.start(says('id: 3\nevent: clip\ndata: {"n": \n\n', true));
  await assert.rejects(async () => take(clientOf(broken).stream.events(), 1), ResponseError);
  assert.equal(broken.seen.length, 4);
});

test('silence counts as a lost connection', async () => {
  let silences = 0;
  await using script = await Script.start((response, seen) => {
    if (seen.headers['last-event-id'] === undefined) return says(event(1, 'clip', { n: 1 }), true)(response, seen);
    silences += 1;
    return silences === 1 ? silence(response, seen) : says(event(2, 'clip', { n: 2 }), true)(response, seen);
  });
  const found = await take(clientOf(script).stream.events({}, { idleTimeout: 150 }), 2);
  assert.deepEqual(found.map(number), [1, 2]);
  assert.ok(silences >= 2);
});

test('what another try would not mend is thrown; a server that was never there, after some tries', async () => {
  await using script = await Script.start(error(403, 'forbidden'));
  await assert.rejects(async () => take(clientOf(script).stream.events(), 1), PermissionDeniedError);
  assert.equal(script.seen.length, 1);
  await using page = await Script.start(json(200, {}));
  await assert.rejects(async () => take(clientOf(page).stream.events(), 1), ResponseError);
  await using away = await Script.start(hangUp);
  const pauses = hurried();
  await assert.rejects(async () => take(clientOf(away, {}, pauses).stream.events(), 1), APIConnectionError);
  assert.deepEqual(pauses.waited, [500, 1000, 2000]);
});

test('a server that goes away later is waited for, longer and longer', async () => {
  await using script = await Script.start(says(event(1, 'clip', { n: 1 })), ...Array<Answer>(9).fill(hangUp), says(event(2, 'clip', { n: 2 }), true));
  const pauses = hurried();
  const found = await take(clientOf(script, {}, pauses).stream.events(), 2);
  assert.equal(number(found[1]), 2);
  assert.deepEqual(pauses.waited, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000]);
});

test('pauses begin anew after an item', async () => {
  await using script = await Script.start(
    ...[says(event(1, 'clip', { n: 1 })), hangUp, hangUp],
    ...[says(event(2, 'clip', { n: 2 })), hangUp, says(event(3, 'clip', { n: 3 }), true)],
  );
  const pauses = hurried();
  await take(clientOf(script, {}, pauses).stream.events(), 3);
  assert.deepEqual(pauses.waited, [500, 1000, 2000, 500, 1000]);
});

test('a token that runs out is renewed', async () => {
  const tokens = { access_token: 'at2', refresh_token: 'rt2', expires_at: new Date(Date.now() + 900_000).toISOString(), user: {} };
  await using script = await Script.start(error(401, 'invalid_token'), json(200, tokens), says(event(1, 'clip', {}), true));
  await take(clientOf(script, { accessToken: 'at1', refreshToken: 'rt1' }).stream.events(), 1);
  assert.equal(script.seen[2]?.headers.authorization, 'Bearer at2');
});

test('break closes the connection, and so does the signal', async () => {
  let closed = 0;
  await using script = await Script.start((response) => {
    response.on('close', () => (closed += 1));
    response.writeHead(200, HEAD).write(event(1, 'clip', {}));
  });
  const client = clientOf(script);
  await take(client.stream.events(), 1);
  while (closed < 1) await new Promise(setImmediate);
  const ending = new AbortController();
  const reason = new Error('enough');
  await assert.rejects(async () => {
    for await (const item of client.stream.events({}, { signal: ending.signal })) {
      assert.equal(item.type, 'clip');
      setImmediate(() => ending.abort(reason));
    }
  }, reason);
  while (closed < 2) await new Promise(setImmediate);
  assert.equal(script.seen.length, 2);
});
