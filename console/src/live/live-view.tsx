/** A camera's live picture, with what can be done with it, and a badge that says how it comes here. */
import type { Camera, LiveTier } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';
import { client } from '../api/client';
import { event as eventQuery } from '../api/queries';
import { Picture, useVisible } from '../cameras/picture';
import { reasonOf } from '../cameras/status';
import { ButtonLink, IconButton } from '../design/controls';
import { Icon } from '../design/icons';
import { tellError } from '../design/toasts';
import { fill } from '../player/fill';
import { useMay } from '../session/session';
import { t } from '../text';
import { duration, useNow } from '../text/when';
import { LiveBadge } from './badge';
import type { LiveState } from './way';
import { useLive } from './use-live';
import './live.css';

const RecordDialog = lazy(() => import('../cameras/record-dialog').then(({ RecordDialog: Found }) => ({ default: Found })));
const PICTURE_MS = 1_000;

export function LiveView({
  camera,
  tier,
  head,
  actions,
  records = true,
}: {
  camera: Camera;
  tier: LiveTier;
  /** Over the picture's upper edge. */
  head?: ReactNode;
  /** Before the picture's own. */
  actions?: ReactNode;
  records?: boolean;
}) {
  const [frame, visible] = useVisible<HTMLDivElement>();
  const video = useRef<HTMLVideoElement>(null);
  const enabled = camera.enabled && camera.status !== 'disabled';
  const state = useLive(video, camera.id, tier, enabled && visible);
  const [muted, setMuted] = useState(true);
  const [recording, setRecording] = useState(false);
  const [eventId, setEventId] = useState<string | null>(null);
  const operator = useMay('operator');

  const sound = () => {
    if (video.current === null) return;
    video.current.muted = !muted;
    setMuted(!muted);
  };

  return (
    <div className="live" ref={frame} data-way={state?.way ?? undefined} data-phase={state?.phase}>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
      <video ref={video} playsInline autoPlay muted aria-label={t.live.picture(camera.name)} />
      {state?.way === 'pictures' && <Picture camera={camera} width={960} everyMs={PICTURE_MS} />}
      <Over camera={camera} state={state} enabled={enabled} />
      {head !== undefined && <div className="live-head">{head}</div>}
      <div className="live-foot">
        {state !== null && state.way !== null && <LiveBadge state={state} way={state.way} sounds={camera.hasAudio === true} />}
        <span className="grow" />
        <div className="live-actions">
          {actions}
          {state?.hasAudio === true && <IconButton icon={muted ? 'mute' : 'sound'} label={muted ? t.live.unmute : t.live.mute} onPress={sound} />}
          <IconButton icon="download" label={t.live.snapshot} onPress={() => void savePicture(camera, video.current, state)} />
          {operator && records && <IconButton icon="record" filled label={t.cameras.record} isDisabled={camera.status !== 'online'} onPress={() => setRecording(true)} />}
          <IconButton icon="screen" label={t.live.fullscreen} onPress={() => fill(frame.current)} />
        </div>
      </div>
      {eventId !== null && <ClipProgress key={eventId} eventId={eventId} onDismiss={() => setEventId(null)} />}
      <Suspense>{recording && <RecordDialog camera={camera} isOpen onClose={() => setRecording(false)} onStarted={setEventId} />}</Suspense>
    </div>
  );
}

/** What stands over the picture while there is nothing to see, or it is not of now. */
function Over({ camera, state, enabled }: { camera: Camera; state: LiveState | null; enabled: boolean }) {
  if (!enabled) return <Word icon="pause">{t.live.disabled}</Word>;
  if (state === null || state.phase === 'starting') return <span className="picture-wait" role="status" aria-label={t.live.starting} />;
  if (state.phase === 'playing') return null;
  return <Word icon={state.phase === 'ended' ? 'warn' : 'offline'}>{state.message ?? reasonOf(camera) ?? t.live.starting}</Word>;
}

function Word({ icon, children }: { icon: 'warn' | 'offline' | 'pause'; children: string }) {
  return (
    <div className="live-word" role="status">
      <Icon name={icon} size={26} />
      <span>{children}</span>
    </div>
  );
}

/** The clip from the button to its event. */
function ClipProgress({ eventId, onDismiss }: { eventId: string; onDismiss: () => void }) {
  const clip = useQuery({ ...eventQuery(eventId), refetchInterval: ({ state }) => (state.data?.clip?.status === 'ready' ? false : 3_000) }).data?.clip;
  const now = useNow();
  const [since] = useState(now);
  const words = t.live.clip;
  const over = clip?.status === 'ready' || clip?.status === 'failed';
  return (
    <div className="live-clip" role="status">
      {!over && <span className="recording-dot" aria-hidden="true" />}
      <span className="grow cut number">
        {clip?.status === 'ready'
          ? words.ready
          : clip?.status === 'failed'
            ? words.failed
            : clip?.status === 'uploading'
              ? words.uploading
              : words.recording(duration((now - since) / 1_000))}
      </span>
      <ButtonLink to="/events/$eventId" params={{ eventId }} small>
        {words.open}
      </ButtonLink>
      {over && <IconButton icon="close" label={words.dismiss} onPress={onDismiss} />}
    </div>
  );
}

async function savePicture(camera: Camera, video: HTMLVideoElement | null, state: LiveState | null): Promise<void> {
  try {
    const shown = video !== null && state?.way !== 'pictures' && video.videoWidth > 0;
    const blob = shown ? await pictureOf(video) : await client.cameras.snapshot(camera.id);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${camera.name.replace(/[^\p{L}\p{N} _-]/gu, '')} ${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.jpg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    tellError(error);
  }
}

function pictureOf(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('no picture')) : resolve(blob)), 'image/jpeg', 0.92);
  });
}
