/** A selected stretch becomes a clip, or an export that is signed; and the exports there are. */
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Camera, Export, Triggered } from '@novavms/sdk';
import { client } from '../api/client';
import { exportList } from '../api/queries';
import { Button, ButtonLink, TextField } from '../design/controls';
import { Badge, ErrorNote, Note, Progress } from '../design/surfaces';
import { tell, tellError } from '../design/toasts';
import { t } from '../text';
import { bytes, clock, day, duration } from '../text/when';
import { iso } from './footage';
import type { Range } from './track';

const CASE_CHARS = 100;

/** What is selected, by dragging or by marking where the player is. */
export function useSelection(at: number | null) {
  const [selection, select] = useState<Range | null>(null);
  const mark = (edge: 'from' | 'to') => {
    if (at === null) return;
    const other = edge === 'from' ? Math.max(selection?.to ?? 0, at + 10_000) : Math.min(selection?.from ?? Infinity, at - 10_000);
    select(edge === 'from' ? { from: at, to: other } : { from: other, to: at });
  };
  const keys = { i: () => mark('from'), o: () => mark('to') };
  return { selection, select, mark, keys };
}

type Selecting = ReturnType<typeof useSelection>;

/** The words that go with what is kept: of a clip its note, of an export the case it belongs to, or a note where that is too long. */
const caseOf = (words: string) => (words.length <= CASE_CHARS ? { caseReference: words || undefined } : { note: words });

/** Of one camera a clip is opened once it is ordered; of several each is told, with what it was refused for. */
export function Keep({ cameras, selecting, at }: { cameras: readonly Camera[]; selecting: Selecting; at: number | null }) {
  const { selection, select, mark } = selecting;
  const [note, setNote] = useState('');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const range = selection === null ? null : { from: iso(selection.from), to: iso(selection.to) };
  const words = note.trim();
  const clipping = useMutation({
    mutationFn: async (of: readonly Camera[]) => {
      const answers = await Promise.allSettled(of.map(({ id }) => client.cameras.createClip(id, { ...range!, note: words || undefined })));
      return of.map((camera, index) => ({ camera, answer: answers[index]! }));
    },
    onSuccess: (ordered) => {
      const [only, ...others] = ordered;
      if (only === undefined || others.length > 0 || cameras.length > 1 || only.answer.status === 'rejected') return;
      tell(t.recordings.clipMade);
      void navigate({ to: '/events/$eventId', params: { eventId: only.answer.value.eventId } });
    },
  });
  const exporting = useMutation({
    mutationFn: () => client.exports.create({ ...range!, cameraIds: cameras.map(({ id }) => id), ...caseOf(words) }),
    onSuccess: () => {
      tell(t.recordings.exportMade);
      void queries.invalidateQueries({ queryKey: ['exports'] });
    },
  });
  const refused = clipping.data?.filter(({ answer }) => answer.status === 'rejected').map(({ camera }) => camera) ?? [];
  const clear = () => {
    select(null);
    clipping.reset();
    exporting.reset();
  };
  return (
    <div className="stack">
      {selection === null && <p className="quiet small">{t.recordings.noSelection}</p>}
      {selection !== null && (
        <>
          <p className="number">
            {t.recordings.range(clock(selection.from), clock(selection.to))}
            <span className="faint">{` · ${duration((selection.to - selection.from) / 1_000)}`}</span>
          </p>
          <TextField label={t.recordings.note} value={note} onChange={setNote} maxLength={200} />
          <div className="row wrap">
            <Button kind="primary" onPress={() => clipping.mutate(cameras)} isPending={clipping.isPending}>
              {t.recordings.makeClips(cameras.length)}
            </Button>
            <Button icon="export" onPress={() => exporting.mutate()} isPending={exporting.isPending}>
              {cameras.length === 1 ? t.recordings.makeExport : t.recordings.makeExportOfAll}
            </Button>
            <Button kind="quiet" onPress={clear}>
              {t.recordings.clear}
            </Button>
          </div>
        </>
      )}
      {exporting.isError && <ErrorNote error={exporting.error} />}
      {exporting.isSuccess && (
        <Note tone="good" icon="check">
          {t.recordings.exportOf(exporting.data.cameraIds.length)}
        </Note>
      )}
      {(cameras.length > 1 || refused.length > 0) && clipping.data !== undefined && <Ordered clips={clipping.data} />}
      {refused.length > 0 && cameras.length > 1 && selection !== null && (
        <Button small onPress={() => clipping.mutate(refused)} isPending={clipping.isPending}>
          {t.recordings.orderAgain(refused.length)}
        </Button>
      )}
      <div className="row">
        <Button small onPress={() => mark('from')} isDisabled={at === null}>
          {t.recordings.markStart}
        </Button>
        <Button small onPress={() => mark('to')} isDisabled={at === null}>
          {t.recordings.markEnd}
        </Button>
      </div>
    </div>
  );
}

interface Order {
  camera: Camera;
  answer: PromiseSettledResult<Triggered>;
}

/** What became of the order of each camera. */
function Ordered({ clips }: { clips: readonly Order[] }) {
  return (
    <ul className="stack tight" aria-label={t.recordings.ordered}>
      {clips.map(({ camera, answer }) => (
        <li key={camera.id} className="ordered">
          {answer.status === 'rejected' ? (
            <>
              <strong className="small cut block">{camera.name}</strong>
              <ErrorNote error={answer.reason} />
            </>
          ) : (
            <Note
              tone="good"
              icon="check"
              action={
                <ButtonLink to="/events/$eventId" params={{ eventId: answer.value.eventId }} small>
                  {t.recordings.openClip}
                </ButtonLink>
              }
            >
              <span className="cut block">{t.recordings.clipOf(camera.name)}</span>
            </Note>
          )}
        </li>
      ))}
    </ul>
  );
}

export function Exports() {
  const list = useInfiniteQuery({
    ...exportList,
    refetchInterval: ({ state }) =>
      (state.data?.pages[0]?.data ?? []).some(({ status }) => status === 'pending' || status === 'collecting') ? 2_000 : false,
  });
  const found = list.data?.pages[0]?.data ?? [];
  if (list.isError) return <ErrorNote error={list.error} />;
  if (list.isSuccess && found.length === 0) return <p className="quiet small">{t.recordings.noExports}</p>;
  return (
    <ul>
      {found.map((made) => (
        <ExportRow key={made.id} made={made} />
      ))}
    </ul>
  );
}

const TONE = { pending: 'quiet', collecting: 'accent', ready: 'good', failed: 'bad' } as const;

function ExportRow({ made }: { made: Export }) {
  async function download(): Promise<void> {
    try {
      location.assign(await client.exports.downloadUrl(made.id));
    } catch (error) {
      tellError(error);
    }
  }
  return (
    <li className="export-row">
      <span className="grow stack tight">
        <span className="small number cut">{`${day(made.from)}, ${clock(made.from)}`}</span>
        <span className="small faint cut">
          {[made.caseReference ?? made.note, made.cameraIds.length > 1 && t.recordings.cameras(made.cameraIds.length), duration((Date.parse(made.to) - Date.parse(made.from)) / 1_000), made.sizeBytes && bytes(made.sizeBytes)]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {made.status === 'collecting' && <Progress label={t.recordings.exportStatus.collecting} value={made.progress} />}
        {made.status === 'failed' && <span className="small">{made.statusMessage}</span>}
      </span>
      {made.status === 'ready' ? (
        <Button small icon="download" onPress={() => void download()}>
          {t.recordings.download}
        </Button>
      ) : (
        <Badge tone={TONE[made.status]}>{t.recordings.exportStatus[made.status]}</Badge>
      )}
    </li>
  );
}
