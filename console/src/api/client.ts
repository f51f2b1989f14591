/** The one client of the API, and what the page learns from every call: is the server there, is the login still good. */
import { createClient, type NovaVMS } from '@novavms/sdk';
import { useSyncExternalStore } from 'react';

export type Connection = 'ok' | 'lost';

let connection: Connection = 'ok';
/** How often it was lost: what began before says nothing of now. */
let losses = 0;
const listeners = new Set<() => void>();
const endings = new Set<() => void>();
let leaving = false;

function found(next: Connection): void {
  if (next === 'lost') losses += 1;
  if (next === connection) return;
  connection = next;
  for (const listener of listeners) listener();
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}

/** Called when the login is over, whoever ended it. */
export function onSessionEnd(listener: () => void): () => void {
  endings.add(listener);
  return () => endings.delete(listener);
}

/** The browser's fetch. Tabs share the refresh token's cookie, which is good once: they renew one after the other. */
async function send(input: string, init?: RequestInit): Promise<Response> {
  const call = async () => {
    const before = losses;
    try {
      const response = await fetch(input, leaving ? { ...init, keepalive: true } : init);
      if (losses === before) found('ok');
      return response;
    } catch (error) {
      if (init?.signal?.aborted !== true) found('lost');
      throw error;
    }
  };
  if (!input.endsWith('/auth/refresh') || !('locks' in navigator)) return call();
  return navigator.locks.request('novavms.refresh', call);
}

export const client: NovaVMS = createClient({
  baseUrl: location.origin,
  fetch: send,
  onSession: (session) => {
    if (session === null) for (const listener of endings) listener();
  },
});

// What is asked while the page is left goes out still. In capture: before those who ask.
addEventListener('pagehide', () => (leaving = true), { capture: true });
addEventListener('pageshow', () => (leaving = false), { capture: true });
addEventListener('offline', () => found('lost'));
