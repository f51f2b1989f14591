/** What the documents show is right: every example compiles, every method is named. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '../../dist/esm/index.js';
import { blocks, module } from '../examples.ts';

const run = promisify(execFile);
const HERE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const README = join(HERE, 'README.md');
const REFERENCE = join(HERE, '..', '..', 'docs', 'reference', 'sdk-typescript.md');

test('every example of the README and the reference compiles', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'novavms examples '));
  try {
    await mkdir(join(folder, 'node_modules', '@novavms'), { recursive: true });
    await symlink(HERE, join(folder, 'node_modules', '@novavms', 'sdk'));
    const [readme, reference] = await Promise.all([readFile(README, 'utf8'), readFile(REFERENCE, 'utf8')]);
    assert.ok(blocks(readme).length >= 8 && blocks(reference).length >= 70);
    await writeFile(join(folder, 'readme.mts'), module(blocks(readme)));
    await writeFile(join(folder, 'reference.mts'), module(blocks(reference)));
    const options = { module: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], strict: true, noEmit: true };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, exactOptionalPropertyTypes: true } }));
    await run(process.execPath, [TSC, '-p', folder]).catch((error: { stdout: string }) => assert.fail(error.stdout));
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** `cameras.list` and the like: what a client has. */
function methods(of: object, before: string): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(of)) {
    found.push(...methods(value as object, before === '' ? name : `${before}.${name}`));
  }
  for (let type = Object.getPrototypeOf(of) as object; type !== Object.prototype; type = Object.getPrototypeOf(type) as object) {
    const inherited = ['constructor', 'call', 'pages', 'transport', 'renewed', 'baseUrl'];
    if (before !== '') found.push(...Object.getOwnPropertyNames(type).filter((name) => !inherited.includes(name)).map((name) => `${before}.${name}`));
  }
  return [...new Set(found)];
}

test('README and reference name every method', async () => {
  const [readme, reference] = await Promise.all([readFile(README, 'utf8'), readFile(REFERENCE, 'utf8')]);
  const all = methods(createClient({ apiKey: 'sk_test_x' }), '');
  assert.ok(all.length >= 75, String(all.length));
  for (const method of all) {
    assert.ok(reference.includes(`\n### \`${method}(`), `the reference has no ${method}`);
    const [resource, name] = [method.slice(0, method.lastIndexOf('.')), method.slice(method.lastIndexOf('.') + 1)];
    const line = readme.split('\n').find((text) => text.startsWith(`| \`${resource}\` |`)) ?? '';
    assert.ok(line.includes(` \`${name}\` `), `the README's table has no ${method}`);
  }
});
