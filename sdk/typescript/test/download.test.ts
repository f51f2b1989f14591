import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { APIConnectionError, DownloadError, ResponseError, type Progress } from '../dist/esm/index.js';
import { Script, clientOf, error, json, type Answer } from './server.ts';

const CLIP = randomBytes(400_000);
const SHA256 = createHash('sha256').update(CLIP).digest('hex');

/** A server with one event and its clip, of which each connection gives at most so many bytes. */
function shop(each: number, { clip = CLIP, sha256 = SHA256, refusals = 0, ranges = true } = {}): { answer: Answer; ranges: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  let links = 0;
  const answer: Answer = (response, seen) => {
    if (seen.url === '/api/v1/events/e1') {
      return json(200, { id: 'e1', clip: { status: 'ready', size_bytes: CLIP.length, sha256 } })(response, seen);
    }
    if (seen.url === '/api/v1/events/e1/clip') {
      links += 1;
      response.writeHead(302, { location: `/store/e1.mp4?signature=${links}` }).end();
      return undefined;
    }
    assert.equal(seen.headers.authorization, undefined, 'a signed link needs no key');
    asked.push(seen.headers.range);
    if (asked.length <= refusals) return error(403, 'forbidden')(response, seen);
    const from = ranges ? Number(/bytes=(\d+)-/.exec(seen.headers.range ?? '')?.[1] ?? 0) : 0;
    const rest = clip.subarray(from);
    const range = from > 0 ? { 'content-range': `bytes ${from}-${clip.length - 1}/${clip.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, etag: '"v1"', ...range });
    if (rest.length <= each) response.end(rest);
    else response.write(rest.subarray(0, each), () => setTimeout(() => response.socket?.destroy(), 5));
    return undefined;
  };
  return { answer, ranges: asked };
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'novavms sdk '));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a download goes on where the connection broke off, with progress', () =>
  inFolder(async (folder) => {
    const { answer, ranges } = shop(150_000);
    await using script = await Script.start(answer);
    const seen: Progress[] = [];
    const path = join(folder, 'clip.mp4');
    await clientOf(script).events.downloadClip('e1', path, { onProgress: (progress) => seen.push(progress) });
    assert.ok((await readFile(path)).equals(CLIP));
    assert.deepEqual(await readdir(folder), ['clip.mp4']);
    assert.equal(ranges[0], undefined);
    assert.ok(ranges.length >= 3 && ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? '')), String(ranges));
    assert.deepEqual(seen.at(-1), { receivedBytes: CLIP.length, totalBytes: CLIP.length });
    assert.ok(seen.every((progress, place) => place === 0 || progress.receivedBytes > (seen[place - 1] as Progress).receivedBytes));
  }));

test('a link that ran out is asked for anew', () =>
  inFolder(async (folder) => {
    const { answer } = shop(CLIP.length, { refusals: 2 });
    await using script = await Script.start(answer);
    await clientOf(script).events.downloadClip('e1', join(folder, 'clip.mp4'));
    const links = script.seen.map((seen) => seen.url).filter((url) => url.startsWith('/store/'));
    assert.deepEqual(links, [1, 2, 3].map((number) => `/store/e1.mp4?signature=${number}`));
  }));

test('nothing stays of a download that fails, and what was there before does', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'clip.mp4');
    await using whole = await Script.start(shop(CLIP.length).answer);
    await clientOf(whole).events.downloadClip('e1', path);
    const cases = [
      [shop(0), APIConnectionError],
      [shop(CLIP.length, { refusals: 99 }), ResponseError],
      [shop(CLIP.length, { sha256: SHA256.replace(/./, (digit) => (digit === '0' ? '1' : '0')) }), DownloadError],
      [shop(CLIP.length + 5, { clip: Buffer.concat([CLIP, Buffer.from('more')]) }), DownloadError],
      [shop(150_000, { ranges: false }), DownloadError],
    ] as const;
    for (const [{ answer }, kind] of cases) {
      await using script = await Script.start(answer);
      await assert.rejects(async () => clientOf(script).events.downloadClip('e1', path), kind);
      assert.deepEqual(await readdir(folder), ['clip.mp4']);
      assert.ok((await readFile(path)).equals(CLIP));
    }
  }));

test('the signal ends a download', () =>
  inFolder(async (folder) => {
    await using script = await Script.start(shop(150_000).answer);
    const ending = new AbortController();
    const reason = new Error('enough');
    const options = { signal: ending.signal, onProgress: () => ending.abort(reason) };
    await assert.rejects(async () => clientOf(script).events.downloadClip('e1', join(folder, 'clip.mp4'), options), reason);
    assert.deepEqual(await readdir(folder), []);
  }));

test('a folder that is not there is told as it is', () =>
  inFolder(async (folder) => {
    await using script = await Script.start(shop(CLIP.length).answer);
    await assert.rejects(async () => clientOf(script).events.downloadClip('e1', join(folder, 'no', 'clip.mp4')), { code: 'ENOENT' });
  }));

test('a download goes to a stream, too', async () => {
  await using script = await Script.start(shop(150_000).answer);
  const chunks: Uint8Array[] = [];
  let closed = false;
  const target = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk),
    close: () => void (closed = true),
  });
  await clientOf(script).events.downloadClip('e1', target);
  assert.ok(Buffer.concat(chunks).equals(CLIP) && closed);
});

test('the signed address is absolute, whatever the server says', async () => {
  await using script = await Script.start(shop(1).answer);
  assert.equal(await clientOf(script).events.clipUrl('e1'), `${script.baseUrl}/store/e1.mp4?signature=1`);
});

test('where a browser hides a redirect, its target is found by following it', async () => {
  const asked: RequestInit[] = [];
  await using script = await Script.start();
  const client = clientOf(script, {
    fetch: async (url, init = {}) => {
      asked.push(init);
      if (init.redirect === 'follow') return Object.defineProperty(new Response('x', { status: 206 }), 'url', { value: 'https://store.example/x' });
      return Object.defineProperties(new Response(null), { type: { value: 'opaqueredirect' }, status: { value: 0 }, url: { value: url } });
    },
  });
  assert.equal(await client.events.clipUrl('e1'), 'https://store.example/x');
  assert.equal((asked[1]?.headers as Record<string, string>)['range'], 'bytes=0-0');
});

test('a camera picture is a Blob', async () => {
  await using script = await Script.start((response) => {
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end(Buffer.from([0xff, 0xd8, 1]));
  });
  const picture = await clientOf(script).cameras.snapshot('c1', { width: 320 });
  assert.equal(picture.type, 'image/jpeg');
  assert.deepEqual([...new Uint8Array(await picture.arrayBuffer())], [0xff, 0xd8, 1]);
  assert.equal(script.seen[0]?.url, '/api/v1/cameras/c1/snapshot?width=320');
});
