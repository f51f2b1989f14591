/** Who is signed in. The access token is in memory only; a reload goes on by the refresh cookie, which no script can read. */
import { AuthenticationError, type LoginRequest, type Me } from '@novavms/sdk';
import { useSyncExternalStore } from 'react';
import { client, onSessionEnd } from '../api/client';

export type Session =
  | { state: 'starting' }
  | { state: 'out'; ended: boolean }
  | { state: 'unreachable'; error: unknown }
  | { state: 'in'; me: Me };

const MARK = 'novavms.signed-in';
let session: Session = { state: 'starting' };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

/** The signed-in person; only below the sign-in. */
export function useMe(): Me {
  const found = useSession();
  if (found.state !== 'in') throw new Error('nobody is signed in here');
  return found.me;
}

export type Role = Me['role'];
const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2, owner: 3 };

export function may(me: Me, least: Role): boolean {
  return RANK[me.role] >= RANK[least];
}

export function useMay(least: Role): boolean {
  return may(useMe(), least);
}

/** With the cookie of an earlier visit, if there was one. */
export async function resume(): Promise<void> {
  if (read() === null) {
    become({ state: 'out', ended: false });
    return;
  }
  become({ state: 'starting' });
  try {
    await client.auth.refresh();
    become({ state: 'in', me: await client.auth.me() });
  } catch (error) {
    if (error instanceof AuthenticationError) end(true);
    else become({ state: 'unreachable', error });
  }
}

export async function signIn(params: LoginRequest): Promise<void> {
  await client.auth.login({ ...params, clientType: 'web' });
  write('1');
  become({ state: 'in', me: await client.auth.me() });
}

export async function signOut(): Promise<void> {
  try {
    await client.auth.logout();
  } finally {
    end(false);
  }
}

/** `unasked`: it ended without the person's doing, which has to be said. */
export function end(unasked: boolean): void {
  if (session.state === 'out') return;
  write(null);
  become({ state: 'out', ended: unasked });
}

export async function reread(): Promise<void> {
  become({ state: 'in', me: await client.auth.me() });
}

onSessionEnd(() => end(true));

function read(): string | null {
  try {
    return localStorage.getItem(MARK);
  } catch {
    return null;
  }
}

function write(value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(MARK);
    else localStorage.setItem(MARK, value);
  } catch {
    // no storage: the next visit begins with the sign-in
  }
}
