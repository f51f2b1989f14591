/** Short words at the edge of the page: what was done, and the way back from it. */
import { useSyncExternalStore } from 'react';
import { t } from '../text';
import { Button, IconButton } from './controls';
import { sentenceOf } from './surfaces';

interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'bad';
  action?: { label: string; act: () => void };
}

const SHOWN_MS = 6_000;
const UNDO_MS = 10_000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();
/** What is done when its Undo has ended. */
const waiting = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Shows it for six seconds; answers its id. */
export function tell(text: string, more: Partial<Pick<Toast, 'tone' | 'action'>> = {}, shownMs = SHOWN_MS): number {
  last += 1;
  const id = last;
  set([...toasts.slice(-3), { id, text, tone: 'plain', ...more }]);
  setTimeout(() => dismiss(id), shownMs);
  return id;
}

export function tellError(error: unknown): void {
  tell(sentenceOf(error), { tone: 'bad' });
}

/**
 * Does it in ten seconds, unless somebody says Undo before. The server knows nothing of it until then, or until the page is left: what
 * was not undone by then is done. `undo` also when it fails.
 */
export function tellAndDo(text: string, act: () => Promise<unknown>, undo: () => void): void {
  const end = () => {
    waiting.delete(finish);
    clearTimeout(timer);
    dismiss(id);
  };
  const finish = () => {
    end();
    act().catch((error: unknown) => {
      undo();
      tellError(error);
    });
  };
  const takeBack = () => {
    end();
    undo();
  };
  const id = tell(text, { action: { label: t.form.undo, act: takeBack } }, UNDO_MS);
  const timer = setTimeout(finish, UNDO_MS);
  waiting.add(finish);
}

addEventListener('pagehide', () => waiting.forEach((finish) => finish()));

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone, action }) => (
        <div key={id} className={`toast ${tone}`}>
          <span className="grow">{text}</span>
          {action !== undefined && (
            <Button small onPress={action.act}>
              {action.label}
            </Button>
          )}
          <IconButton icon="close" label={t.form.close} onPress={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
