// Builds dist/esm and dist/cjs with tsc. Declarations of both, because types follow the module system of their folder.
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const tsc = join(typescript, 'bin', 'tsc');

/** One run of tsc; ends this program with tsc's words where it fails. */
function compile(project) {
  return new Promise((resolve) => {
    const run = spawn(process.execPath, [tsc, '-p', join(here, project)], { cwd: here, stdio: 'inherit' });
    run.on('exit', (code) => {
      if (code !== 0) {
        console.error(`build: tsc -p ${project} failed (exit ${code}); the lines above say why`);
        process.exit(1);
      }
      resolve();
    });
  });
}

await rm(join(here, 'dist'), { recursive: true, force: true });
await mkdir(join(here, 'dist', 'cjs'), { recursive: true });
await writeFile(join(here, 'dist', 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
await Promise.all([compile('tsconfig.json'), compile('tsconfig.cjs.json')]);
await writeFile(join(here, 'dist', '.built'), '');
