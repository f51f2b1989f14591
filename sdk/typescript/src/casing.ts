/**
 * snake_case on the wire, camelCase in code. Keys of free-form maps are data, not names: a `Shape` says where they are.
 * @module
 */

/**
 * Where a value's keys are not names. `0`: nothing below is touched. `*`: a map, whose keys stay and whose values have this shape.
 * What a shape does not mention is renamed, so that fields newer than this library arrive in camelCase, too. Lists are looked through.
 */
export type Shape = 0 | { readonly [snakeName: string]: Shape };

const camelNames = new Map<string, string>();
const snakeNames = new Map<string, string>();
/** The API has some hundred names. A bound all the same: keys may come from anywhere. */
const MOST_NAMES = 5_000;

function remember(names: Map<string, string>, name: string, other: string): string {
  if (names.size < MOST_NAMES) names.set(name, other);
  return other;
}

/** `site_id` → `siteId`. */
export function camelName(name: string): string {
  return (
    camelNames.get(name) ??
    remember(camelNames, name, name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
  );
}

/** `siteId` → `site_id`. */
export function snakeName(name: string): string {
  return (
    snakeNames.get(name) ??
    remember(snakeNames, name, name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  );
}

/** An answer's JSON, with names in camelCase. */
export function toCamel(value: unknown, shape: Shape | undefined): unknown {
  if (typeof value !== 'object' || value === null || shape === 0) return value;
  if (Array.isArray(value)) return value.map((item) => toCamel(item, shape));
  const inside = shape?.['*'];
  if (inside !== undefined) return mapped(value, (item) => toCamel(item, inside));
  const renamed: Record<string, unknown> = {};
  for (const name in value) {
    const item = (value as Record<string, unknown>)[name];
    renamed[camelName(name)] =
      typeof item === 'object' && item !== null ? toCamel(item, shape?.[name]) : item;
  }
  return renamed;
}

/** A request's body, with names in snake_case. Times become RFC 3339. */
export function toSnake(value: unknown, shape: Shape | undefined): unknown {
  if (typeof value !== 'object' || value === null || shape === 0) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => toSnake(item, shape));
  const inside = shape?.['*'];
  if (inside !== undefined) return mapped(value, (item) => toSnake(item, inside));
  const renamed: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    const snake = snakeName(name);
    renamed[snake] = toSnake(item, shape?.[snake]);
  }
  return renamed;
}

/** By entries, which make own properties of any name, `__proto__` included. */
function mapped(value: object, change: (item: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item)]));
}
