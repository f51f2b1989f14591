import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError, type LoginSession } from '../dist/esm/index.js';
import { Script, clientOf, error, hurried, json, type Answer } from './server.ts';

const LOGIN = { email: 'ada@example.com', password: 'Correct-Horse-1' };
const inAQuarter = () => new Date(Date.now() + 900_000).toISOString();

/** Tokens by number: `at2` and `rt2` are the second ones. Only the newest are good. */
function tokens(): { answer: Answer; refreshes: string[] } {
  let number = 0;
  const refreshes: string[] = [];
  const issue: Answer = (response, seen) => {
    number += 1;
    return json(200, { access_token: `at${number}`, refresh_token: `rt${number}`, expires_at: inAQuarter(), user: { display_name: 'Ada' } })(response, seen);
  };
  const answer: Answer = (response, seen) => {
    if (seen.url.endsWith('/auth/login')) return issue(response, seen);
    if (seen.url.endsWith('/auth/refresh')) {
      const token = (JSON.parse(seen.body) as { refresh_token: string }).refresh_token;
      refreshes.push(token);
      return token === `rt${number}` ? issue(response, seen) : error(401, 'invalid_token')(response, seen);
    }
    if (seen.url.endsWith('/auth/logout')) return json(204, null)(response, seen);
    const good = seen.headers.authorization === `Bearer at${number}`;
    return (good ? json(200, { id: 's1' }) : error(401, 'invalid_token'))(response, seen);
  };
  return { answer, refreshes };
}

test('after login the client is that person, until logout', async () => {
  const { answer } = tokens();
  await using script = await Script.start(answer);
  const sessions: (LoginSession | null)[] = [];
  const client = clientOf(script, { onSession: (session) => sessions.push(session) });
  const { user } = await client.auth.login(LOGIN);
  assert.equal(user.displayName, 'Ada');
  assert.equal(script.seen[0]?.headers.authorization, undefined);
  assert.deepEqual(JSON.parse(String(script.seen[0]?.body)), { ...LOGIN, client_type: 'api' });
  await client.sites.get('s1');
  assert.equal(script.seen[1]?.headers.authorization, 'Bearer at1');
  await client.auth.logout();
  assert.equal(script.seen[2]?.headers.authorization, 'Bearer at1');
  assert.deepEqual(sessions.map((session) => session?.refreshToken), ['rt1', undefined]);
  await assert.rejects(async () => client.sites.get('s1'), AuthenticationError);
  assert.equal(script.seen[3]?.headers.authorization, undefined);
});

test('a refused token is renewed once, however many calls meet it', async () => {
  const { answer, refreshes } = tokens();
  await using script = await Script.start(answer);
  const client = clientOf(script);
  await client.auth.login(LOGIN);
  await client.auth.refresh(); // the server now wants at2; forget that here by a second client
  const stale = clientOf(script, { accessToken: 'at1', refreshToken: 'rt2' });
  const sites = await Promise.all([1, 2, 3, 4, 5].map(async () => stale.sites.get('s1')));
  assert.equal(sites.length, 5);
  assert.deepEqual(refreshes, ['rt1', 'rt2']);
});

test('a token is renewed shortly before its end, and asking for it joins in', async () => {
  const { answer, refreshes } = tokens();
  await using script = await Script.start(answer);
  let now = Date.now();
  const pauses = hurried();
  const client = clientOf(script, {}, { waited: [], around: { ...pauses.around, now: () => now } });
  await client.auth.login(LOGIN);
  now += 860_000;
  await client.sites.get('s1');
  assert.deepEqual(refreshes, []);
  now += 15_000;
  const [answered] = await Promise.all([client.auth.refresh(), client.sites.get('s1'), client.sites.get('s1')]);
  assert.equal(answered.accessToken, 'at2');
  assert.deepEqual(refreshes, ['rt1']);
  assert.ok(script.seen.every((seen) => seen.headers.authorization !== 'Bearer at1' || seen.url === '/api/v1/sites/s1'));
  assert.equal(script.seen.filter((seen) => seen.headers.authorization === 'Bearer at2').length, 2);
});

test('a clock that is ahead does not renew at every call', async () => {
  const { answer, refreshes } = tokens();
  await using script = await Script.start(answer);
  const ahead = hurried();
  const client = clientOf(script, {}, { waited: [], around: { ...ahead.around, now: () => Date.now() + 7_200_000 } });
  await client.auth.login(LOGIN);
  await client.sites.get('s1');
  await client.sites.get('s1');
  assert.deepEqual(refreshes, []);
});

test('a session that is over is an AuthenticationError, and is not asked for again and again', async () => {
  const { answer, refreshes } = tokens();
  await using script = await Script.start(answer);
  const client = clientOf(script, { accessToken: 'old', refreshToken: 'old' });
  await assert.rejects(async () => client.sites.get('s1'), AuthenticationError);
  assert.deepEqual(refreshes, ['old']);
});

test('only a refresh token is enough', async () => {
  const { answer, refreshes } = tokens();
  await using script = await Script.start(answer);
  const first = clientOf(script);
  await first.auth.login(LOGIN);
  await clientOf(script, { refreshToken: 'rt1' }).sites.get('s1');
  assert.deepEqual(refreshes, ['rt1']);
  assert.equal(script.seen.at(-1)?.headers.authorization, 'Bearer at2');
  assert.ok(script.seen.every((seen) => seen.headers.authorization !== 'Bearer '));
});

test('a wrong password does not end the login that there is', async () => {
  await using script = await Script.start(
    json(200, { access_token: 'at1', refresh_token: 'rt1', expires_at: inAQuarter(), user: {} }),
    error(401, 'invalid_credentials'),
    json(200, { id: 's1' }),
  );
  const client = clientOf(script);
  await client.auth.login(LOGIN);
  await assert.rejects(async () => client.auth.login(LOGIN), { code: 'invalid_credentials' });
  await client.sites.get('s1');
  assert.equal(script.seen[2]?.headers.authorization, 'Bearer at1');
});

test('an API key that is refused is not renewed', async () => {
  await using script = await Script.start(error(401, 'invalid_token'));
  await assert.rejects(async () => clientOf(script).sites.get('s1'), AuthenticationError);
  assert.equal(script.seen.length, 1);
});

test('a new token that is refused, too, is not renewed for ever', async () => {
  let refreshes = 0;
  await using script = await Script.start((response, seen) => {
    if (!seen.url.endsWith('/auth/refresh')) return error(401, 'invalid_token')(response, seen);
    refreshes += 1;
    return json(200, { access_token: `at${refreshes}`, refresh_token: 'rt', expires_at: inAQuarter(), user: {} })(response, seen);
  });
  const client = clientOf(script, { accessToken: 'at0', refreshToken: 'rt' });
  await assert.rejects(async () => client.sites.get('s1', { signal: AbortSignal.timeout(5_000) }), AuthenticationError);
  assert.equal(refreshes, 1);
});
