/** Where downloads go: a file in Node, a stream anywhere. @module */

/** A path (Node), or any stream of bytes (such as one of the File System Access API in a browser). */
export type Target = string | WritableStream<Uint8Array>;

/** A target that is being written. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
  /** The SHA-256 of what was written, hexadecimal; null where it cannot be had on the way (WebCrypto wants all at once). */
  sha256(): string | null;
  /** All is there. */
  done(): Promise<void>;
  /** It came to nothing; nothing half-done stays. */
  failed(reason: unknown): Promise<void>;
}

export async function open(target: Target): Promise<Sink> {
  return typeof target === 'string' ? file(target) : stream(target);
}

function stream(target: WritableStream<Uint8Array>): Sink {
  const writer = target.getWriter();
  return {
    write: (chunk) => writer.write(chunk),
    sha256: () => null,
    done: () => writer.close(),
    failed: (reason) => writer.abort(reason).catch(() => undefined),
  };
}

/** Beside the path until all is there: nobody ever finds half a clip under its name. */
async function file(path: string): Promise<Sink> {
  const { open: openFile, rename, rm } = await builtin('node:fs/promises');
  const { createHash } = await builtin('node:crypto');
  const partial = `${path}.${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}.part`;
  const handle = await openFile(partial, 'wx');
  const hash = createHash('sha256');
  return {
    write: async (chunk) => {
      hash.update(chunk);
      await handle.writeFile(chunk);
    },
    sha256: () => hash.digest('hex'),
    done: async () => {
      await handle.close();
      await rename(partial, path);
    },
    failed: async () => {
      await handle.close();
      await rm(partial, { force: true });
    },
  };
}

/** As much of Node as is used here: this library is built without Node's types, so that nothing else of it slips in. */
interface Builtins {
  'node:crypto': { createHash(name: string): { update(chunk: Uint8Array): void; digest(encoding: 'hex'): string } };
  'node:fs/promises': {
    open(path: string, flags: string): Promise<{ writeFile(chunk: Uint8Array): Promise<void>; close(): Promise<void> }>;
    rename(from: string, to: string): Promise<void>;
    rm(path: string, options: { force: boolean }): Promise<void>;
  };
}

/** Node's own module, fetched when it is needed: bundles for browsers must not mention it. */
async function builtin<Name extends keyof Builtins>(name: Name): Promise<Builtins[Name]> {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown; versions?: { node?: string } } };
  if (process?.versions?.node === undefined) throw new TypeError('only Node has paths: give a WritableStream');
  const found = process.getBuiltinModule?.(name) ?? (await import(/* webpackIgnore: true */ /* @vite-ignore */ name));
  return found as Builtins[Name];
}
