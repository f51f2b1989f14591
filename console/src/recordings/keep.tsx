/** A selected stretch, of one camera or of several, becomes a clip of each, or an export that is signed. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Camera, Triggered } from '@novavms/sdk';
import { client } from '../api/client';
import { Button, ButtonLink, TextField } from '../design/controls';
import { ErrorNote, Note } from '../design/surfaces';
import { tell } from '../design/toasts';
import { t } from '../text';
import { clock, duration } from '../text/when';
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
  const words = note.trim();
  const [clips, setClips] = useState<{ of: Range; orders: readonly Order[] } | null>(null);
  const clipping = useMutation({
    mutationFn: async ({ of, range }: { of: readonly Camera[]; range: Range }) => {
      const asked = { from: iso(range.from), to: iso(range.to), note: words || undefined };
      const answers = await Promise.allSettled(of.map(({ id }) => client.cameras.createClip(id, asked)));
      return of.map((camera, index) => ({ camera, answer: answers[index]! }));
    },
    onSuccess: (orders, { range }) => {
      const [only] = orders;
      if (cameras.length === 1 && only?.answer.status === 'fulfilled') {
        tell(t.recordings.clipMade);
        void navigate({ to: '/events/$eventId', params: { eventId: only.answer.value.eventId } });
        return;
      }
      const fresh = new Set(orders.map(({ camera }) => camera.id));
      setClips((known) => ({ of: range, orders: [...(known?.of === range ? known.orders.filter(({ camera }) => !fresh.has(camera.id)) : []), ...orders] }));
    },
  });
  const exporting = useMutation({
    mutationFn: (range: Range) => {
      const [only, ...others] = cameras.map(({ id }) => id);
      const of = others.length === 0 ? { cameraId: only } : { cameraIds: cameras.map(({ id }) => id) };
      return client.exports.create({ from: iso(range.from), to: iso(range.to), ...of, ...caseOf(words) });
    },
    onSuccess: () => {
      tell(t.recordings.exportMade);
      void queries.invalidateQueries({ queryKey: ['exports'] });
    },
  });
  // what was ordered is told of what is selected
  const ordered = (clips !== null && clips.of === selection ? clips.orders : []).filter(({ camera: { id } }) => cameras.some((each) => each.id === id));
  const refused = ordered.filter(({ answer }) => answer.status === 'rejected').map(({ camera }) => camera);
  const exported = exporting.variables === selection ? exporting : null;
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
            <Button kind="primary" onPress={() => clipping.mutate({ of: cameras, range: selection })} isPending={clipping.isPending}>
              {t.recordings.makeClips(cameras.length)}
            </Button>
            <Button icon="export" onPress={() => exporting.mutate(selection)} isPending={exporting.isPending}>
              {cameras.length === 1 ? t.recordings.makeExport : t.recordings.makeExportOfAll}
            </Button>
            <Button kind="quiet" onPress={() => select(null)}>
              {t.recordings.clear}
            </Button>
          </div>
          {exported?.isError === true && <ErrorNote error={exported.error} />}
          {exported?.isSuccess === true && (
            <Note tone="good" icon="check">
              {t.recordings.exportOf(exported.data.cameraIds.length)}
            </Note>
          )}
          {ordered.length > 0 && <Ordered clips={ordered} />}
          {refused.length > 0 && cameras.length > 1 && (
            <div>
              <Button small onPress={() => clipping.mutate({ of: refused, range: selection })} isPending={clipping.isPending}>
                {t.recordings.orderAgain(refused.length)}
              </Button>
            </div>
          )}
        </>
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
              <span className="block">{t.recordings.clipOf(camera.name)}</span>
            </Note>
          )}
        </li>
      ))}
    </ul>
  );
}
