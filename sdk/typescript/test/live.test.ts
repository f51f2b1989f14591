import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APIConnectionError, NotFoundError, type LiveItem, type LiveWatch } from '../dist/esm/index.js';
import { buildClient, type NovaVMS } from '../dist/esm/client.js';
import { hurried, type Pauses } from './server.ts';
import { LiveServer, type Asked, type Line } from './sockets.ts';

const INIT = {
  ...{ type: 'init', mime: 'video/mp4; codecs="avc1.64001f"', codec: 'h264', width: 768, height: 576 },
  ...{ has_audio: false, tier: 'main', tier_reason: null },
};
/** The address names another host: the client stays on the way by which it reached the API. */
const OFFER: Asked = () => ({
  status: 200,
  body: {
    protocols: [{ type: 'mse', url: 'wss://elsewhere.example/api/v1/live/t1/mse', tier: 'main', codec: 'h264', reason: '' }],
    ...{ excluded: [], token: 't1', expires_at: '2026-03-01T12:00:00Z', message: null },
  },
});

const clientOf = (server: LiveServer, pauses: Pauses = hurried()): NovaVMS =>
  buildClient({ baseUrl: server.baseUrl, apiKey: 'sk_test_secret-of-the-tests' }, pauses.around);

/** Init, and one part of these bytes. */
const shows = (...bytes: number[]) => (line: Line) => {
  line.say(INIT);
  line.put(Uint8Array.from(bytes));
};

async function take(watch: LiveWatch, enough: (items: LiveItem[]) => boolean): Promise<LiveItem[]> {
  const items: LiveItem[] = [];
  for await (const item of watch) {
    items.push(item);
    if (enough(items)) break;
  }
  return items;
}

const told = (items: LiveItem[]) => items.map((item) => (item.kind === 'data' ? [...item.bytes] : item.kind));

test('what comes is told in order, in camelCase; later words are passed over', async () => {
  await using server = await LiveServer.start(OFFER, (line) => {
    line.say({ type: 'waiting', reason: 'gateway_offline', message: 'It is away.' });
    line.say({ type: 'weather', sun: true });
    shows(1, 2)(line);
    line.put(new Uint8Array(70_000));
  });
  const watch = clientOf(server).cameras.watchLive('c1', { tier: 'sub', codecs: ['h264', 'h265'] });
  const items = await take(watch, (found) => found.length === 4);
  assert.deepEqual(items.slice(0, 3), [
    { kind: 'waiting', reason: 'gateway_offline', message: 'It is away.' },
    { ...{ kind: 'init', mime: INIT.mime, codec: 'h264', width: 768, height: 576 }, ...{ hasAudio: false, tier: 'main', tierReason: null } },
    { kind: 'data', bytes: Uint8Array.of(1, 2) },
  ]);
  assert.equal(items[3]?.kind === 'data' && items[3].bytes.length, 70_000);
  assert.deepEqual(server.asked, ['/api/v1/cameras/c1/live?tier=sub&codecs=h264%2Ch265']);
  assert.deepEqual(server.opened, ['/api/v1/live/t1/mse?tier=sub&codecs=h264%2Ch265']);
  assert.equal(watch.ways?.token, 't1');
});

test('a lost connection is said, and made anew with a new address', async () => {
  await using server = await LiveServer.start(
    OFFER,
    (line) => {
      shows(1)(line);
      setImmediate(() => line.close());
    },
    'refuse',
    shows(2),
  );
  const pauses = hurried();
  const items = await take(clientOf(server, pauses).cameras.watchLive('c1'), (found) => told(found).join().endsWith('init,2'));
  assert.deepEqual(told(items), ['init', [1], 'waiting', 'waiting', 'init', [2]]);
  assert.equal(server.asked.length, 3);
  assert.deepEqual(pauses.waited, [500, 1000]);
});

test('a server that stops is come back to; a right that is withdrawn is the end', async () => {
  await using server = await LiveServer.start(
    OFFER,
    (line) => line.say({ type: 'end', reason: 'shutting_down', message: 'Come again.' }),
    (line) => line.say({ type: 'end', reason: 'revoked', message: 'You may not see this camera any more.' }),
  );
  const items = await take(clientOf(server).cameras.watchLive('c1'), () => false);
  assert.deepEqual(told(items), ['waiting', 'end']);
  assert.equal(server.opened.length, 2);
});

test('silence counts as a lost connection, but not while the server waits for the camera', async () => {
  await using server = await LiveServer.start(OFFER, shows(1), (line) => {
    line.say({ type: 'waiting', reason: 'offline', message: 'Away.' });
    setTimeout(() => shows(2)(line), 1500);
  });
  const watch = clientOf(server).cameras.watchLive('c1', {}, { idleTimeout: 1000 });
  const items = await take(watch, (found) => told(found).join().endsWith('init,2'));
  assert.deepEqual(told(items), ['init', [1], 'waiting', 'waiting', 'init', [2]]);
  assert.equal(server.opened.length, 2);
});

test('a tier is asked for on the same connection, and again on the next', async () => {
  const lines: Line[] = [];
  await using server = await LiveServer.start(OFFER, (line) => {
    lines.push(line);
    shows(1)(line);
  });
  const watch = clientOf(server).cameras.watchLive('c1');
  await take(watch, (items) => {
    if (items.at(-1)?.kind !== 'data') return false;
    if (lines.length === 2) return true;
    watch.setTier('sub');
    const heard = setInterval(() => {
      if (lines[0]?.heard.length !== 1) return;
      clearInterval(heard);
      lines[0].close();
    }, 10);
    return false;
  });
  assert.deepEqual(lines[0]?.heard, [{ type: 'tier', tier: 'sub' }]);
  assert.match(server.opened[1] ?? '', /tier=sub/);
});

test('where the server offers no WebSocket, the end says why', async () => {
  const without = { protocols: [], excluded: [{ type: 'mse', reason: 'codec', message: 'x' }], token: 't', expires_at: '', message: 'H.265 only.' };
  await using server = await LiveServer.start(() => ({ status: 200, body: without }));
  const items = await take(clientOf(server).cameras.watchLive('c1'), () => false);
  assert.deepEqual(items, [{ kind: 'end', reason: 'codec_unsupported', message: 'H.265 only.' }]);
});

test('what another try would not mend is thrown; a WebSocket that never opens, after some tries', async () => {
  await using gone = await LiveServer.start(() => ({ status: 404, body: { error: 'not_found', message: 'No such camera.' } }));
  await assert.rejects(take(clientOf(gone).cameras.watchLive('c1'), () => false), NotFoundError);
  assert.equal(gone.asked.length, 1);
  await using deaf = await LiveServer.start(OFFER, 'refuse');
  await assert.rejects(take(clientOf(deaf).cameras.watchLive('c1'), () => false), APIConnectionError);
  assert.equal(deaf.opened.length, 4);
});

test('the signal ends it with its reason, close without a word', async () => {
  await using server = await LiveServer.start(OFFER, shows(1));
  const ending = new AbortController();
  const watch = clientOf(server).cameras.watchLive('c1', {}, { signal: ending.signal });
  await assert.rejects(
    take(watch, (items) => {
      if (items.length === 2) setImmediate(() => ending.abort(new Error('enough')));
      return false;
    }),
    /enough/,
  );
  const other = clientOf(server).cameras.watchLive('c1');
  const items = await take(other, (found) => {
    if (found.length === 2) setImmediate(() => other.close());
    return false;
  });
  assert.deepEqual(told(items), ['init', [1]]);
});
