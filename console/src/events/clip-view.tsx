/** An event's clip: on its way with its progress, then playing by itself; or why there is none. */
import type { EventDetail } from '@novavms/sdk';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { client } from '../api/client';
import { Icon } from '../design/icons';
import { ErrorPanel, Note, Progress } from '../design/surfaces';
import { Player } from '../player/player';
import { t } from '../text';
import { duration, useNow } from '../text/when';
import { useSnapshotUrl } from './thumb';

const GOOD_MS = 8 * 60_000;

export function useClipUrl(event: EventDetail) {
  const { clip } = event;
  return useQuery({
    queryKey: ['picture', 'clip', event.id, clip?.status, clip?.url !== null],
    queryFn: ({ signal }) => client.events.clipUrl(event.id, { signal }),
    enabled: clip !== null && clip.url !== null && (clip.status === 'ready' || clip.status === 'failed'),
    staleTime: GOOD_MS,
    gcTime: GOOD_MS,
    refetchOnWindowFocus: false,
  });
}

export function ClipView({ event }: { event: EventDetail }) {
  const video = useRef<HTMLVideoElement>(null);
  const [broken, setBroken] = useState(false);
  const poster = useSnapshotUrl(event, true).data;
  const url = useClipUrl(event);
  const { clip } = event;
  if (clip === null) return <NoClip poster={poster} />;
  if (clip.status === 'recording' || clip.status === 'uploading') {
    return (
      <div className="clip-frame">
        {poster !== undefined && <img src={poster} alt="" />}
        <div className="clip-wait" role="status">
          {clip.status === 'recording' ? <Recording since={clip.startedAt ?? event.triggeredAt} /> : <Uploading />}
          <p>{t.events.clip.willPlay}</p>
        </div>
      </div>
    );
  }
  if (url.isError) return <ErrorPanel error={url.error} onRetry={() => void url.refetch()} />;
  return (
    <div className="stack tight">
      {clip.status === 'failed' && (
        <Note tone="bad" icon="warn">
          <strong>{clip.url === null ? t.events.clip.failed : t.events.clip.partly}</strong>
          <p className="quiet">{clip.failureMessage ?? clip.failureReason}</p>
        </Note>
      )}
      {broken && (
        <Note tone="warn" icon="warn">
          {t.events.clip.cannotPlay}
        </Note>
      )}
      {clip.url === null ? (
        <div className="clip-frame">
          <div className="picture-none">
            <Icon name="events" size={28} />
          </div>
        </div>
      ) : (
        <Player
          key={event.id}
          video={video}
          src={url.data}
          poster={poster}
          autoPlay={url.data !== undefined}
          onError={() => setBroken(video.current?.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED)}
        />
      )}
    </div>
  );
}

/** The picture is then all there is of it: nothing lies over it. */
function NoClip({ poster }: { poster: string | undefined }) {
  if (poster === undefined) {
    return (
      <div className="clip-frame">
        <div className="clip-wait">
          <Icon name="events" size={28} />
          <p>{t.events.clip.none}</p>
        </div>
      </div>
    );
  }
  return (
    <>
      <div className="clip-frame">
        <img src={poster} alt="" />
      </div>
      <Note tone="quiet">{t.events.clip.none}</Note>
    </>
  );
}

function Recording({ since }: { since: string }) {
  const now = useNow();
  const sec = Math.max(0, (now - Date.parse(since)) / 1_000);
  return (
    <>
      <span className="recording-dot" aria-hidden="true" />
      <strong>{t.events.clip.recordingFor(duration(sec))}</strong>
      <Progress label={t.events.clip.recording} />
    </>
  );
}

function Uploading() {
  return (
    <>
      <strong>{t.events.clip.uploading}</strong>
      <Progress label={t.events.clip.uploading} />
    </>
  );
}
