/**
 * The README's other examples, each as it stands there, against a real server, gateway and camera (main-job.ts has the first). Only what
 * is made up is replaced. Started by tests/contract/test_contract_sdk_typescript.py.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CameraCheckError, createClient } from '../../dist/esm/index.js';
import { blocks } from '../examples.ts';
import { facts } from './facts.ts';

interface World {
  readonly baseUrl: string;
  readonly admin: string;
  readonly cameraId: string;
  readonly siteId: string;
  /** A folder for the programs. */
  readonly folder: string;
}

const world = facts<World>();
const SDK = import.meta.resolve('../../dist/esm/index.js');
const ENDLESS = 'stream.events(';
const [, ...others] = blocks(await readFile(new URL('../../README.md', import.meta.url), 'utf8'));
const stored: unknown[] = [];

/** A webhook's delivery, signed with the secret that the README shows. */
function delivery(): Request {
  const body = '{"event_type":"event"}';
  const headers = { 'x-webhook-timestamp': new Date().toISOString(), 'x-webhook-signature': createHmac('sha256', 'whsec_abc123').update(body).digest('hex') };
  return new Request('https://hooks.example.com', { method: 'POST', body, headers });
}

/** The example with what the README takes for granted before it. */
function program(text: string): string {
  const shown = text.replaceAll("'sk_live_abc123'", JSON.stringify(world.admin)).replaceAll("'https://novavms.example.com'", JSON.stringify(world.baseUrl));
  const own = shown.includes('const novavms =') ? '' : 'const novavms = createClient({ apiKey, baseUrl });';
  return [
    `import { createClient } from ${JSON.stringify(SDK)};`,
    `const baseUrl = ${JSON.stringify(world.baseUrl)}, id = ${JSON.stringify(world.cameraId)}, siteId = ${JSON.stringify(world.siteId)};`,
    `const apiKey = ${JSON.stringify(world.admin)}; const { request, store } = globalThis; ${own}`,
    shown.replaceAll("'@novavms/sdk'", JSON.stringify(SDK)),
    text.includes('const me =') ? 'export { me };' : text.includes('const page =') ? 'export { page };' : '',
  ].join('\n');
}

/** Runs it here; what it says, and what it has. */
async function play(text: string, place: number): Promise<{ said: string; made: Record<string, unknown> }> {
  const file = join(world.folder, `example ${place}.mjs`);
  await writeFile(file, program(text));
  const kept = { log: console.log, error: console.error };
  let said = '';
  console.log = console.error = (...words: unknown[]) => void (said += `${words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' ')}\n`);
  try {
    return { made: (await import(pathToFileURL(file).href)) as Record<string, unknown>, said };
  } catch (error) {
    if (!(error instanceof CameraCheckError) || text.includes('catch (error)')) throw error; // the camera has another password than the README's
    return { made: {}, said };
  } finally {
    Object.assign(console, kept);
  }
}

test('each of them runs, and says what it is to say', async () => {
  Object.assign(globalThis, { request: delivery(), store: (session: unknown) => void stored.push(session) });
  const told: string[] = [];
  const made: Record<string, unknown> = {};
  for (const [place, text] of others.entries()) {
    if (text.includes(ENDLESS)) continue;
    const played = await play(text, place);
    Object.assign(made, played.made);
    told.push(played.said);
  }
  assert.ok(told.length >= 7, `${told.length} examples`);
  const all = told.join('\n');
  assert.match(all, /auth_failed .+Check user and password/);
  assert.match(all, /"name":"login","ok":false/);
  assert.match(all, /^login false [\d.]+$/m);
  assert.ok(!all.includes(world.admin));
  assert.equal((made['me'] as { email: string }).email, 'ada@example.com');
  assert.equal((made['page'] as { total: number }).total, 1);
  assert.equal((stored[0] as { accessToken: string }).accessToken.split('.').length, 3);
  assert.equal((await createClient({ apiKey: world.admin, baseUrl: world.baseUrl }).sites.get(world.siteId)).name, 'Harbour');
});

test('the one that does not end tells what happens', async () => {
  const endless = others.filter((text) => text.includes(ENDLESS));
  assert.equal(endless.length, 1);
  const file = join(world.folder, 'endless.mjs');
  await writeFile(file, program(endless[0] ?? ''));
  const listening = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const novavms = createClient({ apiKey: world.admin, baseUrl: world.baseUrl });
  let enabled = true;
  // it may not have begun to listen yet: something happens until it says so
  const happening = setInterval(() => void novavms.cameras.update(world.cameraId, { enabled: (enabled = !enabled) }).catch(() => undefined), 300);
  try {
    const [line] = (await once(listening.stdout, 'data')) as [Buffer];
    assert.match(line.toString(), new RegExp(`^${world.cameraId} (disabled|pending|online|offline)`));
  } finally {
    clearInterval(happening);
    listening.kill();
  }
});
