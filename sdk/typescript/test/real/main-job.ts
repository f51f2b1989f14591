/** The main job by this library: a real server, a real gateway, a simulated camera. Started by tests/contract/test_contract_sdk_typescript.py. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  CameraCheckError,
  ConflictError,
  NotFoundError,
  PermissionDeniedError,
  createClient,
  type CameraCreate,
  type Progress,
  type StreamItem,
} from '../../dist/esm/index.js';
import { blocks } from '../examples.ts';
import { camel, facts } from './facts.ts';

interface World {
  readonly baseUrl: string;
  readonly operator: string;
  readonly viewer: string;
  /** Of POST /cameras, in snake_case. */
  readonly camera: Record<string, unknown>;
  /** Where the clip goes. */
  readonly path: string;
}

const world = facts<World>();
const novavms = createClient({ apiKey: world.operator, baseUrl: world.baseUrl });
const body = Object.fromEntries(Object.entries(world.camera).map(([name, value]) => [camel(name), value])) as unknown as CameraCreate;

/** What stands in the README for what the reader has. */
function filled(text: string): string {
  const { host, port, onvif_username: user, onvif_password: password } = world.camera;
  const values: [string, unknown][] = [
    ["'10.0.0.63'", host],
    ['2020', port],
    ["'admin'", user],
    ["'s3cret'", password],
    ["'clip.mp4'", `${world.path}.readme.mp4`],
    ['durationSec: 30', undefined],
    ["'@novavms/sdk'", import.meta.resolve('../../dist/esm/index.js')],
    ["{ apiKey: 'sk_live_abc123' }", { apiKey: world.operator, baseUrl: world.baseUrl }],
  ];
  for (const [shown, real] of values) {
    assert.ok(text.includes(shown), `the README does not have ${shown}`);
    text = text.replaceAll(shown, real === undefined ? 'durationSec: 5' : JSON.stringify(real));
  }
  return `const siteId = ${JSON.stringify(body.siteId)}, gatewayId = ${JSON.stringify(body.gatewayId)};\n${text}`;
}

test("the README's quick start runs as it stands there", async () => {
  const [quickStart = ''] = blocks(await readFile(new URL('../../README.md', import.meta.url), 'utf8'));
  const program = `${world.path}.mjs`;
  await writeFile(program, filled(quickStart));
  await import(pathToFileURL(program).href);
  assert.equal((await readFile(`${world.path}.readme.mp4`)).toString('latin1', 4, 8), 'ftyp');
  for await (const camera of novavms.cameras.list()) await novavms.cameras.delete(camera.id);
});

/** A 409 until the gateway, which just let go of this camera, runs it again. */
async function pictureOf(id: string): Promise<Blob> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await novavms.cameras.snapshot(id);
    } catch (error) {
      if (!(error instanceof ConflictError) || tried >= 100) throw error;
      await sleep(100);
    }
  }
}

test('add a camera, be told why not, watch it, record a clip, save it', async () => {
  const items: StreamItem[] = [];
  const ending = new AbortController();
  const wanted = novavms.stream.events({ types: ['camera', 'camera_status', 'event', 'clip'] }, { signal: ending.signal });
  const listening = (async () => {
    for await (const item of wanted) {
      items.push(item);
      if (item.type === 'clip' && item.data.clip.status === 'ready') break;
    }
  })();

  await assert.rejects(
    async () => novavms.cameras.create({ ...body, onvifPassword: 'wrong' }),
    (error: unknown) => error instanceof CameraCheckError && error.reason === 'auth_failed' && error.check.stages !== undefined && error.hint !== null,
  );
  assert.equal((await novavms.cameras.list()).total, 0);

  const { data: camera, headers } = await novavms.cameras.create(body).withResponse();
  await novavms.cameras.waitUntil(camera.id, 'online', { timeout: 30_000 });
  const renamed = await novavms.cameras.update(camera.id, { name: 'Loading Dock East (Rev 2)' });
  assert.equal(renamed.name, 'Loading Dock East (Rev 2)');
  const ifMatch = headers.get('etag') ?? '';
  assert.notEqual(ifMatch, '');
  await assert.rejects(async () => novavms.cameras.update(camera.id, { name: 'late' }, { ifMatch }), ConflictError);

  const picture = await pictureOf(camera.id);
  assert.deepEqual([...new Uint8Array(await picture.arrayBuffer()).subarray(0, 2)], [0xff, 0xd8]);
  const { eventId } = await novavms.cameras.triggerRecording(camera.id, { durationSec: 5, note: 'Manager requested walkthrough' });
  const clip = await novavms.events.waitForClip(eventId, { timeout: 60_000 });
  const seen: Progress[] = [];
  await clip.download(world.path, { onProgress: (progress) => seen.push(progress) });
  const film = await readFile(world.path);
  assert.equal(createHash('sha256').update(film).digest('hex'), clip.sha256);
  assert.deepEqual(seen.at(-1), { receivedBytes: clip.sizeBytes, totalBytes: clip.sizeBytes });
  assert.equal((await novavms.events.get(eventId)).note, 'Manager requested walkthrough');
  await listening;
  const types = new Set(items.map((item) => item.type));
  for (const type of ['camera', 'event', 'clip'] as const) assert.ok(types.has(type), `no ${type} among ${[...types].join()}`);

  await novavms.cameras.delete(camera.id);
  await assert.rejects(async () => novavms.cameras.get(camera.id), NotFoundError);
});

test('pages of the real server, and a repeated POST', async () => {
  const viewer = createClient({ apiKey: world.viewer, baseUrl: world.baseUrl });
  await assert.rejects(async () => viewer.gateways.generatePairingCode({ name: 'x', siteId: body.siteId }), PermissionDeniedError);
  const options = { idempotencyKey: 'the same box' };
  const codes = [];
  for (let turn = 0; turn < 2; turn += 1) codes.push(await novavms.gateways.generatePairingCode({ name: 'Second', siteId: body.siteId }, options));
  assert.deepEqual(codes[0], codes[1]);
  const names: string[] = [];
  for await (const gateway of novavms.gateways.list({ limit: 1 })) names.push(gateway.name);
  assert.deepEqual(names.sort(), ['Gateway 1', 'Second']);
});
