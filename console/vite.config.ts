/** How the console is built: into the server's package, from where the server serves it (see server/…/kit/site.py). */
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Beside every file that gains by it: its gzipped twin, made once here instead of with every request. */
function gzipped(): Plugin {
  return {
    name: 'gzipped',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          if (!/\.(js|css|html)$/.test(name)) continue;
          const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}

/** Lengths are written in px, as they are at the root's usual 16: the build makes rem of them, so that all grows with the root on a wall,
 * and with a person's own text size. Hairlines stay. */
const scaling = {
  postcssPlugin: 'scaling',
  Declaration(declaration: { value: string }) {
    const scaled = declaration.value.replaceAll(/(?<![\w.#-])(-?\d*\.?\d+)px\b/g, (px, number: string) =>
      Math.abs(Number(number)) <= 3 ? px : `${Number((Number(number) / 16).toFixed(5))}rem`,
    );
    if (scaled !== declaration.value) declaration.value = scaled;
  },
};

export default defineConfig({
  plugins: [gzipped()],
  css: { postcss: { plugins: [scaling] } },
  build: {
    outDir: '../server/src/novavms_server/console',
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2023',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  server: { proxy: { '/api': process.env['NOVAVMS_BASE_URL'] ?? 'http://127.0.0.1:8080' } },
});
