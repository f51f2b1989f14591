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
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

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
export function tell(text: string, more: Partial<Pick<Toast, 'tone' | 'action'>> = {}): number {
  last += 1;
  const id = last;
  set([...toasts.slice(-3), { id, text, tone: 'plain', ...more }]);
  setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

export function tellError(error: unknown): void {
  tell(sentenceOf(error), { tone: 'bad' });
}

/**
 * Does it in six seconds, unless somebody says Undo before. The server knows nothing of it until then: a page that is closed meanwhile
 * has not done it.
 */
export function tellAndDo(text: string, act: () => Promise<unknown>, undo: () => void): void {
  let undone = false;
  const id = tell(text, {
    action: {
      label: t.form.undo,
      act: () => {
        undone = true;
        dismiss(id);
        undo();
      },
    },
  });
  setTimeout(() => {
    if (undone) return;
    act().catch((error: unknown) => {
      undo();
      tellError(error);
    });
  }, SHOWN_MS);
}

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
