/**
 * Through a proxy that cuts, delays, repeats, drops and garbles: nothing is made twice, nothing that happens is lost.
 * Started by tests/contract/test_contract_sdk_typescript.py.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../dist/esm/index.js';
import { buildClient } from '../../dist/esm/client.js';
import { hurried } from '../server.ts';
import { facts } from './facts.ts';

interface World {
  readonly baseUrl: string;
  readonly admin: string;
  readonly cameraId: string;
  /** Its gateway says of each camera that it works. */
  readonly siteId: string;
  readonly gatewayId: string;
}

const world = facts<World>();
const SITES = 24;
const CAMERAS = 15;
const NAMES = 30;
const FAULTS = ['none', 'drop', 'cut', 'garble', 'repeat', 'late', 'page'] as const;
type Fault = (typeof FAULTS)[number];
const counted = new Map<Fault, number>();
let turn = 0;

/** The same faults in every run, in no simple order. */
function next(): Fault {
  turn += 1;
  const fault = FAULTS[(turn * 5 + Math.floor(turn / 7)) % FAULTS.length] ?? 'none';
  counted.set(fault, (counted.get(fault) ?? 0) + 1);
  return fault;
}

interface Answer {
  readonly head: IncomingMessage;
  readonly body: Buffer;
}

async function ask(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const asked = request(world.baseUrl + incoming.url, { method: incoming.method, headers: incoming.headers, agent: false });
  asked.end(body);
  const [head] = (await once(asked, 'response')) as [IncomingMessage];
  return { head, body: Buffer.concat(await head.toArray()) };
}

async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  if (incoming.url?.startsWith('/api/v1/stream')) return stream(incoming, response);
  const fault = next();
  if (fault === 'drop') return void response.socket?.destroy();
  if (fault === 'page') return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
  if (fault === 'late') await sleep(40);
  // A DELETE that the proxy sends twice is a 404 at the client's first try, which nobody can tell from a real one.
  const times = fault === 'repeat' && incoming.method !== 'DELETE' ? 2 : 1;
  const answers = await Promise.all(Array.from({ length: times }, () => ask(incoming, body)));
  const answer = answers.at(-1) as Answer;
  const half = answer.body.subarray(0, answer.body.length / 2);
  response.writeHead(answer.head.statusCode ?? 500, { ...answer.head.headers, ...(fault === 'garble' ? { 'content-length': half.length } : {}) });
  if (fault === 'cut') response.write(half, () => response.socket?.destroy());
  else response.end(fault === 'garble' ? half : answer.body);
}

/** Passes on some hundred bytes, then breaks off; more each time, so that it goes forward. */
function stream(incoming: IncomingMessage, response: ServerResponse): void {
  let left = 300 + (turn = turn + 1) * 20;
  const asked = request(world.baseUrl + incoming.url, { headers: incoming.headers, agent: false }, (head) => {
    response.writeHead(head.statusCode ?? 500, head.headers);
    head.on('error', () => undefined);
    head.on('data', (chunk: Buffer) => {
      response.write(chunk.subarray(0, Math.max(left, 0)));
      left -= chunk.length;
      if (left <= 0) setImmediate(() => response.socket?.destroy());
    });
  });
  asked.on('error', () => undefined);
  asked.end();
  response.on('close', () => asked.destroy());
}

const proxy = createServer((incoming, response) => void handle(incoming, response).catch(() => response.socket?.destroy()));
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
const options = { apiKey: world.admin, baseUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, maxRetries: 12 };
const faulty = buildClient(options, hurried().around);
const direct = createClient({ apiKey: world.admin, baseUrl: world.baseUrl });

test('what is made is made once, and what is deleted is gone', async () => {
  const before = (await direct.sites.list()).total;
  const made = await Promise.all(Array.from({ length: SITES }, (_, place) => faulty.sites.create({ name: `Place ${place}` })));
  assert.equal(new Set(made.map((site) => site.id)).size, SITES);
  assert.equal((await direct.sites.list()).total, before + SITES);
  const walked: string[] = [];
  for await (const site of faulty.sites.list({ limit: 7 })) walked.push(site.id);
  assert.equal(new Set(walked).size, before + SITES);
  assert.equal(walked.length, before + SITES);
  for (const site of made) await faulty.sites.update(site.id, { address: 'Quay 1' });
  for (const site of made) await faulty.sites.delete(site.id);
  assert.equal((await direct.sites.list()).total, before);
  for (const fault of FAULTS) assert.ok((counted.get(fault) ?? 0) >= 4, `${fault} came ${counted.get(fault)} times`);
});

test('no camera is made twice, and none is missing', async () => {
  const { siteId, gatewayId } = world;
  const wanted = Array.from({ length: CAMERAS }, (_, place) => `Camera ${place}`);
  const made = await Promise.all(
    wanted.map((name, place) => faulty.cameras.create({ siteId, gatewayId, name, type: 'rtsp', rtspUrl: `rtsp://192.0.2.${place + 1}:554/main` })),
  );
  const there: string[] = [];
  for await (const camera of direct.cameras.list({ gatewayId, limit: 100 })) there.push(camera.id);
  assert.deepEqual(there.sort(), made.map((camera) => camera.id).sort());
  assert.deepEqual(made.map((camera) => camera.name), wanted);
});

test('nothing that happens is lost, and nothing is told twice', async () => {
  const seen: string[] = [];
  let connections = 0;
  let changing: Promise<void> | undefined;
  const change = async () => {
    for (let place = 0; place < NAMES; place += 1) await direct.cameras.update(world.cameraId, { name: `Name ${place}` });
  };
  const onConnect = () => {
    connections += 1;
    changing ??= change();
  };
  for await (const item of faulty.stream.events({ types: ['camera'] }, { onConnect, signal: AbortSignal.timeout(60_000) })) {
    if (item.type !== 'camera') continue;
    seen.push(JSON.stringify(item.data));
    if (seen.at(-1)?.includes(`Name ${NAMES - 1}"`)) break;
  }
  await changing;
  for (let place = 0; place < NAMES; place += 1) {
    assert.equal(seen.filter((text) => text.includes(`"Name ${place}"`)).length, 1, `Name ${place}; ${connections} connections`);
  }
  assert.ok(connections >= 3, `${connections} connections`);
  proxy.closeAllConnections();
  proxy.close();
});
