import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const SOURCES = new URL('../src/', import.meta.url);

/** Pages' sheets are fetched with the page, and stay for those that are visited after it. */
test('a class has its rules in one sheet', () => {
  const sheets = new Map<string, Set<string>>();
  for (const file of readdirSync(SOURCES, { encoding: 'utf8', recursive: true }).filter((name) => name.endsWith('.css'))) {
    const text = readFileSync(new URL(file, SOURCES), 'utf8').replaceAll(/\/\*.*?\*\//gs, '');
    for (const [, selectors = ''] of text.matchAll(/([^{}]+)\{/g)) {
      for (const selector of selectors.split(',').map((each) => each.trim())) {
        if (/^\.[\w-]+$/.test(selector)) sheets.set(selector, (sheets.get(selector) ?? new Set()).add(file));
      }
    }
  }
  assert.ok(sheets.size > 100, `${sheets.size} classes`);
  assert.deepEqual([...sheets].filter(([, files]) => files.size > 1), []);
});
