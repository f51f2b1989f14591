/**
 * Every operation of the document has one method, and each is called, against the real server. Arguments are the document's own examples;
 * answers are held to its schemas. Started by tests/contract/test_contract_sdk_typescript.py.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APIError, createClient, type NovaVMS } from '../../dist/esm/index.js';
import { camel, facts, type Document, type Operation, type Schema } from './facts.ts';

interface World {
  readonly baseUrl: string;
  readonly document: Document;
  /** `operationId: resource.method`, in snake_case. */
  readonly methods: Record<string, string>;
  /** By name; `operation name` counts for that operation only. */
  readonly ids: Record<string, string>;
  readonly email: string;
  readonly nominee: string;
  readonly password: string;
  /** What needs a device, or a secret that is told elsewhere: the status of the refusal. */
  readonly refused: Record<string, number>;
}

interface Known {
  readonly verb: string;
  readonly path: string;
  readonly operation: Operation;
}

const world = facts<World>();
const OPERATIONS = new Map<string, Known>();
for (const [path, verbs] of Object.entries(world.document.paths)) {
  for (const [verb, operation] of Object.entries(verbs)) OPERATIONS.set(operation.operationId, { verb: verb.toUpperCase(), path, operation });
}
/** The id of what the world does not have. */
const NOBODY = '0198f2a4-0000-7000-8000-00000000dead';
/** What has an order of its own comes last, so. */
const TAIL = ['nominateOwner', 'getOwnerNomination', 'withdrawOwnerNomination', 'nominateOwner', 'acceptOwnerNomination', 'changePassword', 'logout'];

/** Reads, then what makes things, then what changes and ends them: the inner ones first. */
function order(): string[] {
  const verbs = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
  const rank = (id: string) => {
    const { verb, path } = OPERATIONS.get(id) as Known;
    return verbs.indexOf(verb) * 100 - path.split('/').length;
  };
  const free = [...OPERATIONS.keys()].filter((id) => !TAIL.includes(id) && id !== 'login').sort();
  return ['login', ...free.sort((one, other) => rank(one) - rank(other)), ...TAIL];
}

const sent: { verb: string; path: string }[] = [];
const client = () =>
  createClient({
    baseUrl: world.baseUrl,
    fetch: (url, init) => {
      sent.push({ verb: init?.method ?? 'GET', path: new URL(url).pathname });
      return fetch(url, init);
    },
  });

/** The method of an operation, bound to its resource. */
function method(of: NovaVMS, id: string): (...words: unknown[]) => PromiseLike<unknown> {
  const names = (world.methods[id] ?? '').split('.').map(camel);
  const last = names.pop() ?? '';
  let owner = of as unknown as Record<string, unknown>;
  for (const name of names) owner = owner[name] as Record<string, unknown>;
  const found = owner[last];
  assert.equal(typeof found, 'function', `${id} has no method ${world.methods[id]}`);
  return (found as (...words: unknown[]) => PromiseLike<unknown>).bind(owner);
}

async function call(of: NovaVMS, id: string): Promise<unknown> {
  const { verb, path, operation } = OPERATIONS.get(id) as Known;
  const idOf = (name: string) => world.ids[`${id} ${name}`] ?? world.ids[name];
  const words: unknown[] = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => idOf(name ?? '') ?? NOBODY);
  const example = operation.requestBody?.content['application/json']?.example;
  if (example !== undefined) {
    const filled = Object.entries(example).map(([name, value]) => {
      if (name === 'cameras' && Array.isArray(value)) return [name, value.map((each) => each && idOf('camera_id'))];
      const many = name.endsWith('_ids') ? idOf(name.slice(0, -1)) : undefined;
      return [camel(name), many === undefined ? (idOf(name) ?? value) : [many]];
    });
    words.push(Object.fromEntries(filled));
  }
  const before = sent.length;
  try {
    if (id === 'streamChanges') return await connected(of);
    return await method(of, id)(...words);
  } finally {
    const first = sent[before];
    assert.equal(first?.verb, verb, id);
    assert.match(String(first?.path), new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}/?$`));
  }
}

/** Opens the stream, and ends it when it is there. */
async function connected(of: NovaVMS): Promise<void> {
  const ending = new AbortController();
  const listened = async () => {
    for await (const item of of.stream.events({}, { signal: ending.signal, onConnect: () => ending.abort() })) assert.ok(item);
  };
  await assert.rejects(listened, { name: 'AbortError' });
}

/** Holds an answer to its schema, names in camelCase. */
function conforms(value: unknown, schema: Schema, where: string): void {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return conforms(value, world.document.components.schemas[name] as Schema, `${where} (${name})`);
  }
  if (schema.anyOf !== undefined) {
    const failed = schema.anyOf.map((choice) => attempt(() => conforms(value, choice, where)));
    assert.ok(failed.includes(null), `${where} fits none: ${failed.map(String).join('; ')}`);
    return undefined;
  }
  const kinds = [schema.type ?? []].flat();
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const fits = kinds.length === 0 || kinds.includes(kind) || (kind === 'number' && kinds.includes('integer'));
  assert.ok(fits, `${where} is ${kind}, not ${kinds.join()}`);
  if (Array.isArray(value)) value.forEach((item, place) => conforms(item, schema.items ?? {}, `${where}[${place}]`));
  else if (typeof value === 'object' && value !== null && schema.properties !== undefined) {
    const found = value as Record<string, unknown>;
    for (const name of schema.required ?? []) assert.ok(camel(name) in found, `${where} has no ${camel(name)}`);
    for (const [name, inside] of Object.entries(schema.properties)) {
      if (camel(name) in found) conforms(found[camel(name)], inside, `${where}.${camel(name)}`);
    }
    const known = Object.keys(schema.properties).map(camel);
    for (const name of Object.keys(found)) assert.ok(known.includes(name), `${where} has ${name}, which the document does not know`);
  }
  return undefined;
}

function attempt(run: () => void): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}

function check(id: string, answer: unknown): void {
  const { responses } = (OPERATIONS.get(id) as Known).operation;
  const [, good] = Object.entries(responses).find(([status]) => status < '4' && status !== '304') ?? [];
  const schema = good?.content?.['application/json']?.schema;
  if (schema !== undefined) conforms(answer, schema, id);
  else assert.ok(answer === undefined || typeof answer === 'string' || answer instanceof Blob, id);
}

test('every operation of the document has a method of its own', () => {
  assert.deepEqual(Object.keys(world.methods).sort(), [...OPERATIONS.keys()].sort());
  assert.equal(new Set(Object.values(world.methods)).size, OPERATIONS.size);
  for (const id of OPERATIONS.keys()) method(client(), id);
});

test('every operation works, and answers as the document says', async () => {
  const refused: Record<string, number> = {};
  const owner = client();
  const nominee = client();
  await nominee.auth.login({ email: world.nominee, password: world.password });
  for (const id of order()) {
    try {
      if (id === 'login') {
        const answer = await owner.auth.login({ email: world.email, password: world.password });
        check(id, answer);
        world.ids['refresh_token'] = answer.refreshToken ?? '';
      } else check(id, await call(id === 'acceptOwnerNomination' ? nominee : owner, id));
    } catch (error) {
      if (!(error instanceof APIError)) throw error;
      refused[id] = error.status;
    }
  }
  assert.deepEqual(refused, world.refused);
});
