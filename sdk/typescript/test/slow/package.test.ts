/** What is published: packed, installed into an empty project, imported by both module systems, bundled for browsers. No network. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';

const run = promisify(execFile);
const HERE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NPM = join(dirname(dirname(process.execPath)), 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
let project = '';

const npm = (...words: string[]) =>
  run(process.execPath, [NPM, ...words, '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `--cache=${join(project, 'cache')}`], {
    cwd: project,
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
  });
const node = async (...words: string[]) => (await run(process.execPath, words, { cwd: project })).stdout.trim();

before(async () => {
  project = await mkdtemp(join(tmpdir(), 'an empty project '));
  await writeFile(join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }');
  const { stdout } = await npm('pack', HERE, '--json');
  const packed = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[] | Record<string, { filename: string; files: { path: string }[] }>;
  const [tarball] = Object.values(packed);
  assert.ok(tarball);
  const paths = tarball.files.map((file) => file.path);
  assert.ok(paths.includes('README.md') && paths.includes('dist/cjs/package.json'));
  assert.ok(paths.every((path) => /^(README\.md|LICENSE|package\.json|dist\/(esm|cjs)\/.*\.(js|d\.ts|json))$/.test(path)), paths.join('\n'));
  await npm('install', join(project, tarball.filename));
});

after(() => rm(project, { recursive: true, force: true }));

test('it has no dependency, and the version that it sends', async () => {
  const installed = JSON.parse(await readFile(join(project, 'node_modules', '@novavms', 'sdk', 'package.json'), 'utf8')) as Record<string, unknown>;
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) assert.equal(installed[kind], undefined);
  const version = await node('--input-type=module', '-e', "import { VERSION } from '@novavms/sdk'; console.log(VERSION)");
  assert.equal(version, installed['version']);
});

test('import and require both give the same names', async () => {
  const esm = await node('--input-type=module', '-e', "import * as sdk from '@novavms/sdk'; console.log(Object.keys(sdk).sort().join())");
  const cjs = await node('-e', "const sdk = require('@novavms/sdk'); console.log(Object.keys(sdk).sort().join())");
  assert.equal(esm, cjs);
  assert.ok(esm.includes('createClient') && esm.includes('verifySignature'));
  const made = "const { createClient } = require('@novavms/sdk'); console.log(typeof createClient({ apiKey: 'sk_test_x' }).cameras.list)";
  assert.equal(await node('-e', made), 'function');
});

test('its types hold in strict projects of both module systems, without the types of Node', async () => {
  const text = `import { createClient, APIError, type Camera, type Page } from '@novavms/sdk';
    export async function names(siteId?: string): Promise<string[]> {
      const novavms = createClient({ apiKey: 'sk_test_x' });
      const page: Page<Camera> = await novavms.cameras.list({ siteId });
      const found: string[] = page.data.map((camera) => camera.name);
      for await (const camera of novavms.cameras.list()) if (camera.status === 'online') found.push(camera.name);
      // @ts-expect-error: there is no such state
      await novavms.cameras.list({ status: 'asleep' });
      // @ts-expect-error: a camera needs a name
      await novavms.cameras.create({ siteId: 's', type: 'rtsp' });
      try { await novavms.cameras.triggerRecording('c', { durationSec: 30, note: 'x' }); }
      catch (error) { if (error instanceof APIError) found.push(error.code); }
      return found;
    }`;
  await mkdir(join(project, 'types'), { recursive: true });
  await writeFile(join(project, 'types', 'esm.mts'), text);
  await writeFile(join(project, 'types', 'cjs.cts'), text);
  const options = { module: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, noEmit: true };
  const strictest = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false };
  await writeFile(join(project, 'types', 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, ...strictest } }));
  await run(process.execPath, [TSC, '-p', join(project, 'types')]).catch((error: { stdout: string }) => assert.fail(error.stdout));
});

test('its types hold in a project of Node alone, which has none of a browser', async () => {
  await mkdir(join(project, 'node-types'), { recursive: true });
  await writeFile(join(project, 'node-types', 'index.mts'), "import { createClient } from '@novavms/sdk'; export const made = createClient({ apiKey: 'sk_test_x' });");
  const typeRoots = [dirname(dirname(createRequire(import.meta.url).resolve('@types/node/package.json')))];
  const compilerOptions = { module: 'NodeNext', target: 'ES2022', lib: ['ES2022'], typeRoots, types: ['node'], strict: true, noEmit: true };
  await writeFile(join(project, 'node-types', 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await run(process.execPath, [TSC, '-p', join(project, 'node-types')]).catch((error: { stdout: string }) => assert.fail(error.stdout));
});

async function bundle(text: string): Promise<string> {
  const made = await build({
    stdin: { contents: text, resolveDir: project },
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  assert.deepEqual(made.warnings, []);
  return made.outputFiles[0]?.text ?? '';
}

test('a bundle for browsers mentions no module of Node at its top, and runs without one', async () => {
  const text = await bundle("import { createClient } from '@novavms/sdk'; globalThis.made = createClient({ apiKey: 'sk_test_x', baseUrl: 'https://example.com' });");
  assert.ok(!/require\(|from\s*["']node:|import\s*["']/.test(text));
  const page = { fetch: () => undefined, URL, URLSearchParams, AbortController, Headers, setTimeout, clearTimeout, document: {} } as Record<string, unknown>;
  runInNewContext(text, page);
  assert.equal((page['made'] as { baseUrl: string }).baseUrl, 'https://example.com');
});

test('who wants only one thing gets only that', async () => {
  const whole = await bundle("import { createClient } from '@novavms/sdk'; globalThis.made = createClient;");
  const part = await bundle("import { verifySignature } from '@novavms/sdk'; globalThis.made = verifySignature;");
  assert.ok(!part.includes('/cameras'));
  assert.ok(part.length < whole.length / 8, `${part.length} of ${whole.length} bytes`);
  assert.ok(whole.length < 64_000, `${whole.length} bytes`);
});
