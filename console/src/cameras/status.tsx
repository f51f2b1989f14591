/** A camera's status in a badge, with its reason and since when where there is something to say. */
import type { Camera } from '@novavms/sdk';
import { Badge, type Tone } from '../design/surfaces';
import { t } from '../text';
import { ago, duration, fullTime, useNow } from '../text/when';

export const STATUS_TONE: Record<Camera['status'], Tone> = {
  online: 'good',
  offline: 'bad',
  error: 'bad',
  pending: 'warn',
  disabled: 'quiet',
};

export function StatusBadge({ status }: { status: Camera['status'] }) {
  return <Badge tone={STATUS_TONE[status]}>{t.cameras.status[status]}</Badge>;
}

export function Since({ at }: { at: string }) {
  const now = useNow();
  const sec = Math.max(0, (now - Date.parse(at)) / 1_000);
  return (
    <time dateTime={at} title={fullTime(at)}>
      {t.time.lasting(duration(sec))}
    </time>
  );
}

export function Ago({ at }: { at: string | null }) {
  const now = useNow();
  return at === null ? <>{t.time.never}</> : <time dateTime={at} title={fullTime(at)}>{ago(at, now)}</time>;
}

/** The sentence under a status that is not as it should be. */
export function reasonOf(camera: Camera): string | null {
  if (camera.status === 'online' || camera.status === 'disabled') return null;
  return camera.statusMessage ?? camera.statusReason;
}
