import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  APIConnectionError,
  APITimeoutError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  ResponseError,
} from '../dist/esm/index.js';
import { Script, clientOf, cut, error, hangUp, hurried, json, silence } from './server.ts';

const SITE = { id: 's1', name: 'Harbour' };
const BODY = { name: 'Harbour' };

test('answers that may pass are tried again, three times by default, with growing pauses', async () => {
  for (const status of [408, 502, 503, 504]) {
    await using script = await Script.start(error(status, 'unavailable'));
    const pauses = hurried();
    await assert.rejects(async () => clientOf(script, {}, pauses).sites.get('s1'), { status });
    assert.equal(script.seen.length, 4, `status ${status}`);
    assert.deepEqual(pauses.waited, [500, 1000, 2000]);
  }
});

test('pauses stop growing at 8 s, and are jittered', async () => {
  await using script = await Script.start(error(503, 'unavailable'));
  const pauses = hurried();
  await assert.rejects(async () => clientOf(script, { maxRetries: 6 }, pauses).sites.get('s1'));
  assert.deepEqual(pauses.waited, [500, 1000, 2000, 4000, 8000, 8000]);
  const least = hurried();
  const around = { ...least.around, random: () => 0 };
  await assert.rejects(async () => clientOf(script, { maxRetries: 1 }, { waited: least.waited, around }).sites.get('s1'));
  assert.deepEqual(least.waited, [250]);
});

test('answers that stay are not tried again', async () => {
  for (const [status, code] of [[400, 'validation_error'], [404, 'not_found'], [409, 'conflict'], [500, 'internal_error']] as const) {
    await using script = await Script.start(error(status, code));
    await assert.rejects(async () => clientOf(script).sites.create(BODY), { status, code });
    assert.equal(script.seen.length, 1, `status ${status}`);
  }
});

test('Retry-After is waited for, up to a minute', async () => {
  await using script = await Script.start(error(429, 'rate_limited', {}, { 'retry-after': '5' }), json(200, SITE));
  const pauses = hurried();
  assert.equal((await clientOf(script, {}, pauses).sites.get('s1')).name, 'Harbour');
  assert.deepEqual(pauses.waited, [5100]);
  await using patient = await Script.start(error(429, 'rate_limited', {}, { 'retry-after': '900' }));
  await assert.rejects(
    async () => clientOf(patient).sites.get('s1'),
    (found: unknown) => found instanceof RateLimitError && found.retryAfter === 900,
  );
  assert.equal(patient.seen.length, 1);
});

test('Retry-After may be a date', async () => {
  const date = new Date(Date.now() + 30_000).toUTCString();
  await using script = await Script.start(error(503, 'unavailable', {}, { 'retry-after': date }), json(200, SITE));
  const pauses = hurried();
  await clientOf(script, {}, pauses).sites.get('s1');
  const [waited = 0] = pauses.waited;
  assert.ok(waited > 20_000 && waited < 31_000, String(waited));
});

test('a lost connection is tried again; every try of a POST has the same key', async () => {
  await using script = await Script.start(hangUp, error(503, 'unavailable'), cut('{"id": "s1", "na'), json(201, SITE));
  const site = await clientOf(script).sites.create(BODY);
  assert.equal(site.id, 's1');
  const keys = script.seen.map((seen) => seen.headers['idempotency-key']);
  assert.equal(keys.length, 4);
  assert.match(String(keys[0]), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(keys).size, 1);
  assert.equal(new Set(script.seen.map((seen) => seen.body)).size, 1);
});

test('two calls have two keys, and a key of your own is taken', async () => {
  await using script = await Script.start(json(201, SITE));
  const client = clientOf(script);
  await client.sites.create(BODY);
  await client.sites.create(BODY);
  await client.sites.create(BODY, { idempotencyKey: 'order 7' });
  const keys = script.seen.map((seen) => seen.headers['idempotency-key']);
  assert.equal(new Set(keys).size, 3);
  assert.equal(keys[2], 'order 7');
});

test('JSON that breaks off behind an honest length is tried again', async () => {
  const half: Parameters<typeof Script.start>[0] = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": "s1"');
  };
  await using script = await Script.start(half, json(200, SITE));
  assert.equal((await clientOf(script).sites.get('s1')).id, 's1');
  await using broken = await Script.start(half);
  await assert.rejects(async () => clientOf(broken).sites.get('s1'), ResponseError);
  assert.equal(broken.seen.length, 4);
});

test('a proxy page is a ResponseError that does not show the page', async () => {
  for (const [status, tries] of [[200, 1], [502, 4], [404, 1]] as const) {
    await using script = await Script.start((response) => {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html>secret of the proxy</html>');
    });
    await assert.rejects(
      async () => clientOf(script).sites.get('s1'),
      (found: unknown) => found instanceof ResponseError && found.status === status && !found.message.includes('secret'),
    );
    assert.equal(script.seen.length, tries, `status ${status}`);
  }
});

test('a POST without a key is tried again only where it was surely not handled', async () => {
  const login = { email: 'ada@example.com', password: 'Correct-Horse-1' };
  for (const answer of [hangUp, error(503, 'unavailable'), error(504, 'unavailable')]) {
    await using script = await Script.start(answer);
    await assert.rejects(async () => clientOf(script).auth.login(login));
    assert.equal(script.seen.length, 1);
    assert.equal(script.seen[0]?.headers['idempotency-key'], undefined);
  }
  await using script = await Script.start(error(429, 'rate_limited', {}, { 'retry-after': '1' }), error(401, 'invalid_credentials'));
  await assert.rejects(async () => clientOf(script).auth.login(login), { code: 'invalid_credentials' });
  assert.equal(script.seen.length, 2);
});

test('a server that is not there is tried again, also for a POST without a key', async () => {
  const script = await Script.start();
  const client = clientOf(script);
  await script[Symbol.asyncDispose]();
  const pauses = hurried();
  await assert.rejects(
    async () => clientOf(script, {}, pauses).gateways.pair({ pairingCode: 'A7B3CX' }),
    (found: unknown) => found instanceof APIConnectionError && found.message.includes('ECONNREFUSED'),
  );
  assert.equal(pauses.waited.length, 3);
  await assert.rejects(async () => client.sites.get('s1'), APIConnectionError);
});

test('a DELETE that is gone at the second try is done; at the first try it is a 404', async () => {
  await using script = await Script.start(hangUp, error(404, 'not_found'));
  assert.equal(await clientOf(script).sites.delete('s1'), undefined);
  await using gone = await Script.start(error(404, 'not_found'));
  await assert.rejects(async () => clientOf(gone).sites.delete('s1'), NotFoundError);
  await using limited = await Script.start(error(429, 'rate_limited', {}, { 'retry-after': '0' }), error(404, 'not_found'));
  await assert.rejects(async () => clientOf(limited).sites.delete('s1'), NotFoundError);
});

test('a PATCH is tried again and If-Match goes along', async () => {
  await using script = await Script.start(hangUp, json(200, SITE));
  await clientOf(script).sites.update('s1', { name: 'Harbour' }, { ifMatch: '"3"' });
  assert.deepEqual(script.seen.map((seen) => [seen.method, seen.headers['if-match']]), [['PATCH', '"3"'], ['PATCH', '"3"']]);
});

test('409 with Retry-After on a POST: the first one with this key still runs', async () => {
  await using script = await Script.start(error(409, 'conflict', {}, { 'retry-after': '1' }), json(201, SITE));
  assert.equal((await clientOf(script).sites.create(BODY)).id, 's1');
  await using clip = await Script.start(error(409, 'conflict', {}, { 'retry-after': '2' }));
  await assert.rejects(async () => clientOf(clip).events.clipUrl('e1'), ConflictError);
  assert.equal(clip.seen.length, 1);
});

test('a try ends after its timeout, and is then tried again', async () => {
  await using script = await Script.start(silence, json(200, SITE));
  assert.equal((await clientOf(script, { timeout: 100 }).sites.get('s1')).id, 's1');
  await using mute = await Script.start(silence);
  const pauses = hurried();
  await assert.rejects(async () => clientOf(mute, {}, pauses).sites.get('s1', { timeout: 50, maxRetries: 1 }), APITimeoutError);
  assert.equal(pauses.waited.length, 1);
});

test('an answer that stands still in its body runs into the timeout', async () => {
  await using script = await Script.start((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":');
  });
  await assert.rejects(async () => clientOf(script).sites.get('s1', { timeout: 100, maxRetries: 0 }), APITimeoutError);
});

test('your signal ends a call, before it, during it and in a pause', async () => {
  await using script = await Script.start(silence);
  const client = clientOf(script);
  const reason = new Error('enough');
  await assert.rejects(async () => client.sites.get('s1', { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(script.seen.length, 0);

  const ending = new AbortController();
  const call = client.sites.get('s1', { signal: ending.signal });
  while (script.seen.length === 0) await new Promise(setImmediate);
  ending.abort(reason);
  await assert.rejects(async () => call, reason);
  assert.equal(script.seen.length, 1);

  await using busy = await Script.start(error(503, 'unavailable'));
  const pausing = new AbortController();
  const pauses = hurried();
  const around = {
    ...pauses.around,
    pause: async (_: number, signal?: AbortSignal) => {
      pausing.abort(reason);
      signal?.throwIfAborted();
    },
  };
  await assert.rejects(async () => clientOf(busy, {}, { waited: [], around }).sites.get('s1', { signal: pausing.signal }), reason);
  assert.equal(busy.seen.length, 1);
});

test('redirects are not followed with a key in hand', async () => {
  await using elsewhere = await Script.start(json(200, SITE));
  await using script = await Script.start((response) => {
    response.writeHead(307, { location: `${elsewhere.baseUrl}/api/v1/sites/s1` }).end();
  });
  await assert.rejects(async () => clientOf(script).sites.get('s1'), ResponseError);
  assert.equal(elsewhere.seen.length, 0);
});

test('every error knows its request', async () => {
  await using script = await Script.start(error(500, 'internal_error'));
  await assert.rejects(
    async () => clientOf(script).sites.get('s1'),
    (found: unknown) => found instanceof InternalServerError && found.requestId === 'req_9' && found.message === 'it said internal_error',
  );
});
