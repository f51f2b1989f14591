/** One event: its clip, and what people say of it. */
import type { EventDetail, EventUpdate } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import { changeEvent } from '../api/feed';
import { allUsers, event as eventQuery } from '../api/queries';
import { Button, IconButton, TextArea } from '../design/controls';
import { Deletion } from '../design/deletion';
import { Icon } from '../design/icons';
import { Badge, Card, ErrorNote, ErrorPanel, Facts, Menu, Page, Skeleton } from '../design/surfaces';
import { tell, tellError } from '../design/toasts';
import { useKeys } from '../player/keys';
import type { EventSearch } from '../router';
import { may, useMay, useMe } from '../session/session';
import { t } from '../text';
import { bytes, duration, fullTime } from '../text/when';
import type { Neighbours } from './around';
import { ClipView, useClipUrl } from './clip-view';
import { ShareDialog } from './share-dialog';
import { BackToList, Steps, useNeighbours, useSteps } from './walk';
import './events.css';
import '../cameras/cameras.css';

export function EventPage() {
  const { eventId } = useParams({ from: '/events/$eventId' });
  const search = useSearch({ from: '/events/$eventId' });
  const found = useQuery(eventQuery(eventId));
  const near = useNeighbours(found.data, search);
  if (found.isPending) {
    return (
      <Page title={t.events.event} before={<BackToList search={search} />}>
        <Skeleton kind="page" count={2} />
      </Page>
    );
  }
  if (found.data === undefined) {
    return (
      <Page title={t.events.event} before={<BackToList search={search} />}>
        <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />
      </Page>
    );
  }
  return <Shown key={eventId} event={found.data} near={near} search={search} />;
}

/** Shown as changed at once; taken back where the API says no. */
function useUpdate(event: EventDetail) {
  const queries = useQueryClient();
  const key = eventQuery(event.id).queryKey;
  return useMutation({
    mutationFn: (change: EventUpdate) => client.events.update(event.id, change),
    onMutate: (change) => changeEvent(queries, event.id, change),
    onSuccess: (saved) => {
      queries.setQueryData(key, saved);
      void queries.invalidateQueries({ queryKey: ['events', 'list'] });
      void queries.invalidateQueries({ queryKey: ['events', 'around'] });
    },
    onError: (error) => {
      void queries.invalidateQueries({ queryKey: key });
      void queries.invalidateQueries({ queryKey: ['events', 'list'] });
      tellError(error);
    },
  });
}

function Shown({ event, near, search }: { event: EventDetail; near: Neighbours; search: EventSearch }) {
  const operator = useMay('operator');
  const admin = useMay('admin');
  const update = useUpdate(event);
  const [dialog, setDialog] = useState<'share' | 'delete' | null>(null);
  const url = useClipUrl(event).data;
  const step = useSteps(near, search);
  const star = () => update.mutate({ starred: !event.starred });
  const acknowledge = () => update.mutate({ acknowledged: !event.acknowledged });
  // here, not in the player: events without a clip, or whose clip is on its way, are reviewed too
  useKeys({ n: step.older, p: step.newer, ...(operator && { s: star, a: acknowledge }) });
  return (
    <Page
      title={event.cameraName}
      before={<BackToList search={search} />}
      detail={
        <span className="row wrap">
          <time dateTime={event.triggeredAt}>{fullTime(event.triggeredAt)}</time>
          {event.acknowledged && <Badge tone="good">{t.events.acknowledged}</Badge>}
        </span>
      }
      actions={
        <>
          <Steps near={near} step={step} />
          {operator && (
            <>
              <IconButton icon="star" filled={event.starred} label={event.starred ? t.events.unstar : t.events.star} onPress={star} kind="plain" />
              <Button icon="check" onPress={acknowledge} kind={event.acknowledged ? 'plain' : 'primary'}>
                {event.acknowledged ? t.events.unacknowledge : t.events.acknowledge}
              </Button>
              <Button icon="share" onPress={() => setDialog('share')} isDisabled={event.clip?.status !== 'ready'}>
                {t.events.share}
              </Button>
            </>
          )}
          {url !== undefined && (
            <a className="button plain" href={url} download={fileName(event)}>
              <Icon name="download" size={16} />
              {t.events.download}
            </a>
          )}
          {admin && (
            <Menu
              label={t.form.more}
              actions={[{ id: 'delete', label: t.events.delete, icon: 'trash', bad: true, act: () => setDialog('delete') }]}
            />
          )}
        </>
      }
    >
      <div className="event-page">
        <div className="stack tight">
          <ClipView event={event} />
          <p className="small faint keys-hint">{t.events.player.keys}</p>
        </div>
        <div className="stack">
          {(operator || event.note !== null) && <NoteCard event={event} />}
          <Card title={t.events.details}>
            <EventFacts event={event} />
          </Card>
        </div>
      </div>
      <ShareDialog event={event} isOpen={dialog === 'share'} onClose={() => setDialog(null)} />
      <DeleteDialog event={event} search={search} isOpen={dialog === 'delete'} onClose={() => setDialog(null)} />
    </Page>
  );
}

/** As an export's files are called: fit for every file system, in UTC. */
function fileName({ cameraName, triggeredAt }: EventDetail): string {
  const name = cameraName.replace(/[<>:"/\\|?*]+/g, '_').replace(/^[ .]+|[ .]+$/g, '');
  const [day, time] = new Date(triggeredAt).toISOString().slice(0, 19).split('T') as [string, string];
  return `${name || 'camera'} ${day} ${time.replaceAll(':', '')}Z.mp4`;
}

function NoteCard({ event }: { event: EventDetail }) {
  const operator = useMay('operator');
  const update = useUpdate(event);
  const [note, setNote] = useState(event.note ?? '');
  useEffect(() => setNote(event.note ?? ''), [event.note]);
  if (!operator) {
    return (
      <Card title={t.events.note}>
        <p>{event.note}</p>
      </Card>
    );
  }
  const changed = note.trim() !== (event.note ?? '');
  return (
    <Card>
      <form
        className="stack tight"
        onSubmit={(submit) => {
          submit.preventDefault();
          update.mutate({ note: note.trim() || null }, { onSuccess: () => tell(t.events.noteSaved) });
        }}
      >
        <TextArea label={t.events.note} value={note} onChange={setNote} maxLength={500} placeholder={t.events.notePlaceholder} />
        {changed && (
          <div>
            <Button type="submit" small kind="primary" isPending={update.isPending}>
              {t.form.save}
            </Button>
          </div>
        )}
        {update.isError && <ErrorNote error={update.error} />}
      </form>
    </Card>
  );
}

function EventFacts({ event }: { event: EventDetail }) {
  const { clip } = event;
  const names = t.events.facts;
  return (
    <Facts
      items={[
        [
          names.camera,
          event.cameraDeleted ? (
            `${event.cameraName} (${t.events.deletedCamera})`
          ) : (
            <Link to="/cameras/$cameraId" params={{ cameraId: event.cameraId }}>
              {event.cameraName}
            </Link>
          ),
        ],
        [names.when, fullTime(event.triggeredAt)],
        [names.cause, t.events.trigger[event.triggerType]],
        [names.by, event.triggeredBy && <By key="by" label={event.triggeredBy} />],
        [names.length, clip?.durationSec && duration(clip.durationSec)],
        [names.gaps, clip?.gapSec ? duration(clip.gapSec) : null],
        [names.size, clip?.sizeBytes && bytes(clip.sizeBytes)],
        [names.picture, clip?.width && `${clip.codec === 'h265' ? 'H.265' : 'H.264'}, ${clip.width} × ${clip.height}`],
        [names.sha, clip?.sha256 && <code className="mono small">{clip.sha256}</code>],
      ]}
    />
  );
}

/** `user:…`, `key:…`, `service_account:…`: as the API says it, in words where this person may know more. */
function By({ label }: { label: string }) {
  const me = useMe();
  const users = useQuery({ ...allUsers, enabled: may(me, 'admin') }).data ?? [];
  const [kind, id] = label.split(':', 2);
  if (id === me.id) return <>{t.events.by.you}</>;
  if (kind === 'user') return <>{users.find((user) => user.id === id)?.displayName ?? t.events.by.user}</>;
  return <>{kind === 'key' ? t.events.by.key : label}</>;
}

function DeleteDialog({ event, search, isOpen, onClose }: { event: EventDetail; search: EventSearch; isOpen: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return (
    <Deletion
      title={t.events.deleteTitle}
      detail={t.events.deleteDetail}
      isOpen={isOpen}
      onClose={onClose}
      remove={() => client.events.delete(event.id)}
      onDeleted={async () => {
        await navigate({ to: '/events', search });
        void queries.invalidateQueries({ queryKey: ['events', 'list'] });
      }}
    />
  );
}
