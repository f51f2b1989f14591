import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import {
  AuthenticationError,
  BadRequestError,
  CameraCheckError,
  CameraStateError,
  ClipFailedError,
  NovaVMSError,
  PermissionDeniedError,
  PayloadTooLargeError,
  RateLimitError,
  ServiceUnavailableError,
  WaitTimeoutError,
  createClient,
} from '../dist/esm/index.js';
import { Script, clientOf, error, hangUp, json } from './server.ts';

const KEY = 'sk_test_secret-of-the-tests';
const PASSWORD = 's3cret of the camera';

test('names: camelCase here, snake_case there; keys of free-form maps are data', async () => {
  const camera = {
    id: 'c1',
    site_id: 's1',
    has_audio: true,
    not_known_yet: { inner_name: 1 },
    check: { ok: true, elapsed_ms: 1, stages: [{ name: 'media', elapsed_ms: 2 }], facts: { rtp_transport: 'tcp', camelKey: { deep_key: 1 } } },
  };
  await using script = await Script.start(json(201, camera), json(200, { hardware: { cpu_count: 4, 'x-y_z': 1 }, local_ip: null }));
  const client = clientOf(script);
  const made = await client.cameras.create({
    siteId: 's1',
    gatewayId: 'g1',
    connectionMode: 'gateway',
    name: 'Loading Dock East',
    type: 'onvif',
    host: '192.0.2.63',
    port: 2020,
    onvifUsername: 'admin',
    onvifPassword: PASSWORD,
    onDuplicate: 'reject',
  });
  assert.deepEqual(JSON.parse(String(script.seen[0]?.body)), {
    site_id: 's1',
    gateway_id: 'g1',
    connection_mode: 'gateway',
    name: 'Loading Dock East',
    type: 'onvif',
    host: '192.0.2.63',
    port: 2020,
    onvif_username: 'admin',
    onvif_password: PASSWORD,
  });
  assert.equal(script.seen[0]?.url, '/api/v1/cameras?on_duplicate=reject');
  assert.deepEqual(made, {
    id: 'c1',
    siteId: 's1',
    hasAudio: true,
    notKnownYet: { innerName: 1 },
    check: { ok: true, elapsedMs: 1, stages: [{ name: 'media', elapsedMs: 2 }], facts: { rtp_transport: 'tcp', camelKey: { deep_key: 1 } } },
  });
  const gateway = await client.gateways.get('g1');
  assert.deepEqual(gateway, { hardware: { cpu_count: 4, 'x-y_z': 1 }, localIp: null });
});

test('filters: what is undefined is left out, times and words are written', async () => {
  await using script = await Script.start(json(200, { data: [], next_cursor: null, total: 0 }));
  const client = clientOf(script);
  await client.cameras.list({ siteId: 's 1&', status: undefined, limit: 5 });
  assert.equal(script.seen[0]?.url, '/api/v1/cameras?site_id=s+1%26&limit=5');
  await client.events.list({ starred: false, dateFrom: '2026-03-01' });
  assert.equal(script.seen[1]?.url, '/api/v1/events?starred=false&date_from=2026-03-01');
});

test('an id cannot leave its place in the path', async () => {
  await using script = await Script.start(json(200, {}));
  const client = clientOf(script);
  await client.cameras.get('a/../b?c#d');
  assert.equal(script.seen[0]?.url, '/api/v1/cameras/a%2F..%2Fb%3Fc%23d');
  for (const bad of ['', '.', '..', undefined as unknown as string]) {
    await assert.rejects(async () => client.cameras.get(bad), TypeError);
  }
  assert.equal(script.seen.length, 1);
});

test('a list is a page when awaited, and all its items when iterated', async () => {
  const pages = new Map([
    ['', { data: [{ id: 1 }, { id: 2 }], next_cursor: 'c1', total: 5 }],
    ['c1', { data: [{ id: 3 }, { id: 4 }], next_cursor: 'c2', total: 5 }],
    ['c2', { data: [{ id: 5 }], next_cursor: null, total: 5 }],
  ]);
  await using script = await Script.start((response, seen) => {
    const query = new URLSearchParams(seen.url.split('?')[1]);
    assert.equal(query.get('site_id'), 's1');
    json(200, pages.get(query.get('cursor') ?? ''))(response, seen) as void;
  });
  const client = clientOf(script);
  const page = await client.cameras.list({ siteId: 's1' });
  assert.deepEqual(JSON.parse(JSON.stringify(page)), { data: [{ id: 1 }, { id: 2 }], nextCursor: 'c1', total: 5 });
  assert.equal(script.seen.length, 1);
  const fromPage: unknown[] = [];
  for await (const camera of page) fromPage.push(camera.id);
  assert.deepEqual(fromPage, [1, 2, 3, 4, 5]);
  const walked: unknown[] = [];
  for await (const camera of client.cameras.list({ siteId: 's1' })) walked.push(camera.id);
  assert.deepEqual(walked, [1, 2, 3, 4, 5]);
  const totals: number[] = [];
  for await (const one of page.pages()) totals.push(one.data.length);
  assert.deepEqual(totals, [2, 2, 1]);
  const before = script.seen.length;
  for await (const camera of client.cameras.list({ siteId: 's1' })) {
    assert.equal(camera.id, 1);
    break;
  }
  assert.equal(script.seen.length, before + 1);
});

test('a list whose cursor does not move ends with an error', async () => {
  await using script = await Script.start(json(200, { data: [1], next_cursor: 'c', total: 9 }));
  await assert.rejects(async () => {
    for await (const site of clientOf(script).sites.list()) assert.ok(site);
  }, NovaVMSError);
  assert.equal(script.seen.length, 2);
});

test('withResponse gives the ETag and the request id', async () => {
  await using script = await Script.start(json(200, { id: 's1' }, { etag: '"7"' }));
  const { data, status, headers, requestId } = await clientOf(script).sites.get('s1').withResponse();
  assert.deepEqual([data.id, status, headers.get('etag'), requestId], ['s1', 200, '"7"', 'req_1']);
});

test('each status has its class', async () => {
  const kinds = [
    [400, BadRequestError],
    [401, AuthenticationError],
    [403, PermissionDeniedError],
    [413, PayloadTooLargeError],
    [429, RateLimitError],
    [503, ServiceUnavailableError],
  ] as const;
  for (const [status, kind] of kinds) {
    await using script = await Script.start(error(status, 'word', { details: [{ field: 'name', message: 'no' }] }));
    await assert.rejects(
      async () => clientOf(script, { maxRetries: 0 }).sites.get('s1'),
      (found: unknown) => found instanceof kind && found.name === kind.name && found.details[0]?.field === 'name',
    );
  }
});

test('a failed camera check has reason, hint and the report', async () => {
  const check = { ok: false, elapsed_ms: 3, stages: [], facts: { some_key: 1 } };
  await using script = await Script.start(error(400, 'validation_error', { reason: 'auth_failed', hint: 'Check it.', check }));
  await assert.rejects(
    async () => clientOf(script).cameras.test({ type: 'onvif', host: '192.0.2.1', onvifUsername: 'a', onvifPassword: PASSWORD }),
    (found: unknown) => {
      assert.ok(found instanceof CameraCheckError);
      assert.deepEqual([found.reason, found.hint, found.check.elapsedMs], ['auth_failed', 'Check it.', 3]);
      assert.deepEqual(found.check.facts, { some_key: 1 });
      return true;
    },
  );
});

test('no secret is printed: not by clients, not by promises, not by errors', async () => {
  await using script = await Script.start(error(401, 'invalid_token'), hangUp);
  const client = clientOf(script, { maxRetries: 0 });
  const errors: unknown[] = [];
  for (let turn = 0; turn < 2; turn += 1) {
    await client.cameras.create({ siteId: 's', name: 'n', type: 'rtsp', rtspPassword: PASSWORD }).catch((found: unknown) => errors.push(found));
  }
  assert.equal(errors.length, 2);
  const pending = client.cameras.list();
  pending.catch(() => undefined);
  const person = createClient({ baseUrl: script.baseUrl, accessToken: 'at-secret', refreshToken: 'rt-secret' });
  for (const thing of [client, client.cameras, client.auth, pending, person, ...errors]) {
    const said = [inspect(thing, { showHidden: true, depth: 20, getters: true }), JSON.stringify(thing), String(thing)].join('\n');
    for (const secret of [KEY, PASSWORD, 'at-secret', 'rt-secret']) assert.ok(!said.includes(secret), said);
  }
});

test('a key that no header takes is refused without being shown', () => {
  for (const options of [{ apiKey: 'sk_live_bad key\n' }, { accessToken: 'sk_live_bad\u00fc' }]) {
    assert.throws(
      () => createClient(options),
      (found: unknown) => found instanceof TypeError && !inspect(found).includes('sk_live_bad'),
    );
  }
});

test('options are checked', () => {
  assert.throws(() => createClient({ apiKey: 'a', accessToken: 'b' }), TypeError);
  assert.throws(() => createClient({ baseUrl: 'ftp://example.com' }), TypeError);
  assert.throws(() => createClient({ baseUrl: 'https://u:p@example.com' }), TypeError);
  assert.throws(() => createClient({ timeout: 0 }), TypeError);
  assert.throws(() => createClient({ maxRetries: -1 }), TypeError);
});

test('address and key come from the environment', async () => {
  await using script = await Script.start(json(200, { id: 's1' }));
  process.env['NOVAVMS_API_KEY'] = 'sk_live_of-the-environment';
  process.env['NOVAVMS_BASE_URL'] = `${script.baseUrl}/api/v1/`;
  try {
    const client = createClient();
    assert.equal(client.baseUrl, script.baseUrl);
    await client.sites.get('s1');
    assert.equal(script.seen[0]?.headers.authorization, 'Bearer sk_live_of-the-environment');
    assert.equal(script.seen[0]?.url, '/api/v1/sites/s1');
  } finally {
    delete process.env['NOVAVMS_API_KEY'];
    delete process.env['NOVAVMS_BASE_URL'];
  }
  assert.equal(createClient().baseUrl, 'https://novavms.novalien.com');
});

test('an own fetch is used', async () => {
  const urls: string[] = [];
  const client = createClient({
    apiKey: KEY,
    baseUrl: 'http://192.0.2.1/behind/a/path/',
    fetch: async (url) => {
      urls.push(url);
      return new Response('{"id": "s1"}', { headers: { 'content-type': 'application/json' } });
    },
  });
  assert.equal((await client.sites.get('s1')).id, 's1');
  assert.deepEqual(urls, ['http://192.0.2.1/behind/a/path/api/v1/sites/s1']);
});

const camera = (status: string, at: string, message: string | null = null) =>
  json(200, { id: 'c1', status, status_at: at, status_reason: null, status_message: message });

const STAGES = [{ name: 'policy', ok: true, ms: 1 }, { name: 'login', ok: false, ms: 2, reason: 'auth_failed' }];

/** A server whose check has its first stage at once; the camera's answer comes when that stage was asked for. */
function checking(status: number): Promise<Script> {
  let told = () => {};
  const asked = new Promise<void>((resolve) => (told = resolve));
  return Script.start(async (response, seen) => {
    if (seen.method !== 'GET') {
      await asked;
      const body = { ok: true, facts: {}, stages: STAGES };
      return json(status, status === 200 ? body : { error: 'validation_error', message: 'No.', reason: 'auth_failed', check: body })(response, seen);
    }
    const after = Number(new URL(seen.url, 'http://x').searchParams.get('after'));
    if (after > 0) return json(200, { stages: STAGES.slice(1), next: 2, ended: true })(response, seen);
    told();
    return json(200, { stages: STAGES.slice(0, 1), next: 1, ended: false })(response, seen);
  });
}

const CAMERA = { type: 'onvif', connectionMode: 'gateway', gatewayId: 'g1', host: '192.0.2.10', onvifUsername: 'u', onvifPassword: PASSWORD } as const;

test('onStage is told each stage once, before the answer, whichever that is', async () => {
  for (const status of [200, 400]) {
    await using script = await checking(status);
    const told: string[] = [];
    const call = clientOf(script).cameras.test(CAMERA, { onStage: (stage) => told.push(`${stage.name} ${stage.ok}`) });
    if (status === 200) assert.equal((await call).stages?.length, 2);
    else await assert.rejects(async () => call, CameraCheckError);
    assert.deepEqual(told, ['policy true', 'login false']);
    const ids = new Set(script.seen.map(({ url }) => /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(url)?.[0]));
    assert.equal(ids.size, 1);
  }
});

test('an onStage that throws, or a check that never began, changes nothing of the answer', async () => {
  await using script = await checking(200);
  const call = clientOf(script).cameras.test(CAMERA, {
    onStage: () => {
      throw new Error('of the callback');
    },
  });
  assert.equal((await call).ok, true);
  await using refusing = await Script.start((response, seen) =>
    (seen.method === 'GET' ? error(404, 'not_found') : error(403, 'forbidden'))(response, seen),
  );
  const told: unknown[] = [];
  const refused = clientOf(refusing).cameras.update('c1', { host: '192.0.2.11' }, { onStage: (stage) => told.push(stage) });
  await assert.rejects(async () => refused, PermissionDeniedError);
  assert.deepEqual(told, []);
});

test('waitUntil waits for the state', async () => {
  await using script = await Script.start(camera('error', 't0'), camera('pending', 't1'), camera('online', 't2'));
  assert.equal((await clientOf(script).cameras.waitUntil('c1', 'online')).statusAt, 't2');
});

test('waitUntil ends where the camera needs a person, and after its time', async () => {
  await using script = await Script.start(camera('pending', 't1'), camera('error', 't2', 'wrong password'));
  await assert.rejects(
    async () => clientOf(script).cameras.waitUntil('c1'),
    (found: unknown) => found instanceof CameraStateError && found.camera.status === 'error' && found.message.includes('wrong password'),
  );
  await using late = await Script.start(camera('offline', 't1'));
  await assert.rejects(
    async () => clientOf(late).cameras.waitUntil('c1', 'online', { timeout: 30 }),
    (found: unknown) => found instanceof WaitTimeoutError && (found.last as { status: string }).status === 'offline',
  );
});

test('waitForClip gives a clip that can be downloaded, or says why there is none', async () => {
  const clip = (status: string) => json(200, { id: 'e1', clip: { status, failure_message: 'the disk was full', size_bytes: 4 } });
  await using script = await Script.start(clip('recording'), clip('uploading'), clip('ready'));
  const found = await clientOf(script).events.waitForClip('e1');
  assert.equal(typeof found.download, 'function');
  assert.deepEqual(Object.keys(found), ['status', 'failureMessage', 'sizeBytes']);
  await using failed = await Script.start(clip('failed'));
  await assert.rejects(
    async () => clientOf(failed).events.waitForClip('e1'),
    (error: unknown) => error instanceof ClipFailedError && error.clip?.status === 'failed' && error.message === 'the disk was full',
  );
  await using none = await Script.start(json(200, { id: 'e1', clip: null }));
  await assert.rejects(async () => clientOf(none).events.waitForClip('e1'), ClipFailedError);
});
