import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { APIConnectionError, APITimeoutError, ConflictError, NotFoundError, ResponseError, ServiceUnavailableError } from '../dist/esm/index.js';
import type { WebRtcItem, WebRtcWatch } from '../dist/esm/index.js';
import { PlayedConnection, PlayedStream } from './rtc.ts';
import { clientOf, error, hangUp, json, Script, silence, type Answer } from './server.ts';

/** The addresses name another host: the client stays on the way by which it reached the API. */
const WAYS = {
  protocols: [
    { type: 'mse', url: 'wss://elsewhere.example/api/v1/live/t1/mse', tier: 'main', codec: 'h264', reason: '' },
    { type: 'webrtc', url: 'https://elsewhere.example/api/v1/live/t1/whep', tier: 'main', codec: 'h264', reason: '' },
  ],
  ...{ excluded: [], token: 't1', expires_at: '2026-03-01T12:00:00Z', message: null },
};
const answers = (sdp: string): Answer => (response) => {
  response.writeHead(201, { 'content-type': 'application/sdp', location: '/api/v1/live/t1/whep/s1' });
  response.end(sdp);
};
const GOOD = answers('v=0\r\nm=video 9\r\n');
const done = json(200, null);

const played = { RTCPeerConnection: PlayedConnection, MediaStream: PlayedStream };
beforeEach(() => {
  PlayedConnection.gathers = true;
  Object.assign(globalThis, played);
});
afterEach(() => {
  for (const name of Object.keys(played)) Reflect.deleteProperty(globalThis, name);
});

/** All that comes; `act` is told each item. */
async function all(watch: WebRtcWatch, act: (item: WebRtcItem) => void = () => undefined): Promise<WebRtcItem[]> {
  const items: WebRtcItem[] = [];
  for await (const item of watch) {
    items.push(item);
    act(item);
  }
  return items;
}

const words = (items: WebRtcItem[]) => items.map((item) => ('reason' in item ? `${item.kind} ${item.reason}` : item.kind));
const asked = (script: Script) => script.seen.map(({ method, url }) => `${method} ${url}`);

test('an offer with its candidates goes out, states are told, and the session is ended', async () => {
  await using script = await Script.start(json(200, WAYS), GOOD, done);
  const watch = clientOf(script).cameras.watchWebRtc('c1', { tier: 'sub', codecs: ['h264', 'h265'] });
  const next: Record<string, string> = { stream: 'connected', connected: 'disconnected', waiting: 'failed' };
  const items = await all(watch, ({ kind }) => PlayedConnection.last.become(next[kind] ?? 'closed'));
  assert.deepEqual(words(items), ['stream', 'connected', 'waiting connection_lost', 'end connection_lost']);
  assert.equal(items[0]?.kind === 'stream' && items[0].hasAudio, false);
  const [ways, offer] = script.seen;
  assert.equal(ways?.url, '/api/v1/cameras/c1/live?tier=sub&codecs=h264%2Ch265');
  assert.deepEqual([offer?.method, offer?.url, offer?.headers['content-type']], ['POST', '/api/v1/live/t1/whep', 'application/sdp']);
  assert.equal(offer?.headers.authorization, undefined, 'the address is the credential');
  assert.equal(offer?.body, 'v=0\r\na=candidate:1\r\n');
  assert.deepEqual(PlayedConnection.last.media, ['video recvonly', 'audio recvonly']);
  assert.equal(PlayedConnection.last.connectionState, 'closed');
  await untilSeen(script, 3);
  assert.deepEqual(asked(script)[2], 'DELETE /api/v1/live/t1/whep/s1');
});

async function untilSeen(script: Script, requests: number): Promise<void> {
  while (script.seen.length < requests) await new Promise((resolve) => setImmediate(resolve));
}

test('close, break and the signal each end connection and session', async () => {
  const ending = new AbortController();
  const ends: ((watch: WebRtcWatch) => Promise<unknown>)[] = [
    (watch) => all(watch, () => watch.close()),
    async (watch) => {
      for await (const item of watch) if (item.kind === 'stream') break;
    },
    (watch) => assert.rejects(all(watch, () => ending.abort(new Error('enough'))), /enough/),
  ];
  for (const end of ends) {
    await using script = await Script.start(json(200, WAYS), answers('v=0\r\nm=video 9\r\nm=audio 9\r\n'), done);
    await end(clientOf(script).cameras.watchWebRtc('c1', {}, { signal: ending.signal }));
    assert.equal(PlayedConnection.last.connectionState, 'closed');
    await untilSeen(script, 3);
    assert.equal(script.seen[2]?.method, 'DELETE');
  }
});

test('what was asked a moment ago is not asked again, by WebSocket neither', async () => {
  await using script = await Script.start(json(200, WAYS), GOOD, done);
  const client = clientOf(script, { maxRetries: 0 });
  const ways = await client.cameras.live('c1');
  const watch = client.cameras.watchWebRtc('c1', {}, { ways });
  await all(watch, () => watch.close());
  await untilSeen(script, 3);
  await assert.rejects(async () => {
    for await (const item of client.cameras.watchLive('c1', {}, { ways })) assert.fail(item.kind);
  }, APIConnectionError);
  assert.equal(asked(script).filter((line) => line.startsWith('GET /api/v1/cameras')).length, 1);
});

test('where it is not offered the end says why, and nothing is connected', async () => {
  const without = { ...WAYS, protocols: [], excluded: [{ type: 'webrtc', reason: 'no_go2rtc', message: 'None is set.' }] };
  await using script = await Script.start(json(200, without));
  const items = await all(clientOf(script).cameras.watchWebRtc('c1'));
  assert.deepEqual(items, [{ kind: 'end', reason: 'no_webrtc', message: 'None is set.' }]);
  assert.deepEqual(asked(script), ['GET /api/v1/cameras/c1/live?tier=main&codecs=h264']);
});

test('each refusal is an error of its class, and leaves no connection', async () => {
  const cases: [Answer, new (...given: never[]) => Error][] = [
    [error(409, 'conflict', { reason: 'codec' }), ConflictError],
    [error(404, 'not_found'), NotFoundError],
    [error(503, 'unavailable', { reason: 'go2rtc_away' }, { 'retry-after': '5' }), ServiceUnavailableError],
    [json(201, {}), ResponseError],
    [answers('hello'), ResponseError],
    [hangUp, APIConnectionError],
    [silence, APITimeoutError],
  ];
  for (const [answer, kind] of cases) {
    await using script = await Script.start(json(200, WAYS), answer, done);
    await assert.rejects(all(clientOf(script, { timeout: 300 }).cameras.watchWebRtc('c1')), kind);
    assert.equal(PlayedConnection.last.connectionState, 'closed');
    assert.equal(script.seen.filter(({ method }) => method === 'POST').length, 1, 'not tried again');
  }
});

test('a connection that is never made ends as failed', async () => {
  await using script = await Script.start(json(200, WAYS), GOOD, done);
  const silent = await all(clientOf(script).cameras.watchWebRtc('c1', {}, { connectTimeout: 50 }));
  assert.deepEqual(words(silent), ['stream', 'end connection_failed']);
  await using other = await Script.start(json(200, WAYS), GOOD, done);
  const refused = await all(clientOf(other).cameras.watchWebRtc('c1'), () => PlayedConnection.last.become('failed'));
  assert.deepEqual(words(refused), ['stream', 'end connection_failed']);
});

test('candidates are waited for within a bound', async (context) => {
  PlayedConnection.gathers = false;
  context.mock.timers.enable({ apis: ['setTimeout'] });
  await using script = await Script.start(json(200, WAYS), GOOD, done);
  const watch = clientOf(script).cameras.watchWebRtc('c1');
  const items = all(watch, () => watch.close());
  await untilSeen(script, 1);
  for (let turns = 0; script.seen.length < 2 && turns < 10_000; turns += 1) {
    context.mock.timers.tick(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(script.seen[1]?.body, 'v=0\r\na=candidate:1\r\n', 'with those that there are');
  assert.deepEqual(words(await items), ['stream']);
});

test('latency is the wait in the jitter buffer since the last call, and half a round trip', async () => {
  await using script = await Script.start(json(200, WAYS), GOOD, done);
  const watch = clientOf(script).cameras.watchWebRtc('c1');
  assert.equal(await watch.latency(), null);
  const inbound = (jitterBufferDelay: number, jitterBufferEmittedCount: number) =>
    PlayedConnection.last.stats.set('v', { type: 'inbound-rtp', kind: 'video', jitterBufferDelay, jitterBufferEmittedCount });
  for await (const item of watch) {
    assert.equal(item.kind, 'stream');
    assert.equal(await watch.latency(), null, 'nothing has come');
    PlayedConnection.last.stats.set('p', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.02 });
    inbound(4, 100);
    assert.equal(Math.round((await watch.latency()) ?? 0), 50);
    inbound(14, 200);
    assert.equal(Math.round((await watch.latency()) ?? 0), 110);
    assert.equal(await watch.latency(), null, 'nothing since');
    break;
  }
});

test('without a browser it says so', async () => {
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
  await using script = await Script.start(json(200, WAYS));
  await assert.rejects(all(clientOf(script).cameras.watchWebRtc('c1')), /WebRTC needs a browser/);
  assert.equal(script.seen.length, 0);
});
