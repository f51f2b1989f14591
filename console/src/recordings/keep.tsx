/** A selected stretch becomes a clip, or an export that is signed; and the exports there are. */
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Export } from '@novavms/sdk';
import { client } from '../api/client';
import { exportList } from '../api/queries';
import { Button, TextField } from '../design/controls';
import { Badge, ErrorNote, Progress } from '../design/surfaces';
import { tell, tellError } from '../design/toasts';
import { t } from '../text';
import { bytes, clock, day, duration } from '../text/when';
import { iso } from './footage';
import type { Range } from './timeline';

export function Keep({ cameraId, selection, onClear }: { cameraId: string; selection: Range | null; onClear: () => void }) {
  const [note, setNote] = useState('');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const range = selection === null ? null : { from: iso(selection.from), to: iso(selection.to) };
  const clipping = useMutation({
    mutationFn: () => client.cameras.createClip(cameraId, { ...range!, note: note.trim() || undefined }),
    onSuccess: ({ eventId }) => {
      tell(t.recordings.clipMade);
      void navigate({ to: '/events/$eventId', params: { eventId } });
    },
  });
  const exporting = useMutation({
    mutationFn: () => client.exports.create({ ...range!, cameraId, caseReference: note.trim() || undefined }),
    onSuccess: () => {
      tell(t.recordings.exportMade);
      void queries.invalidateQueries({ queryKey: ['exports'] });
      onClear();
    },
  });
  if (selection === null) return <p className="quiet small">{t.recordings.noSelection}</p>;
  return (
    <div className="stack">
      <p className="number">
        {t.recordings.range(clock(selection.from), clock(selection.to))}
        <span className="faint">{` · ${duration((selection.to - selection.from) / 1_000)}`}</span>
      </p>
      <TextField label={t.recordings.note} value={note} onChange={setNote} maxLength={200} />
      <div className="row wrap">
        <Button kind="primary" onPress={() => clipping.mutate()} isPending={clipping.isPending}>
          {t.recordings.makeClip}
        </Button>
        <Button icon="export" onPress={() => exporting.mutate()} isPending={exporting.isPending}>
          {t.recordings.makeExport}
        </Button>
        <Button kind="quiet" onPress={onClear}>
          {t.recordings.clear}
        </Button>
      </div>
      {clipping.isError && <ErrorNote error={clipping.error} />}
      {exporting.isError && <ErrorNote error={exporting.error} />}
    </div>
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
          {[made.caseReference, duration((Date.parse(made.to) - Date.parse(made.from)) / 1_000), made.sizeBytes && bytes(made.sizeBytes)]
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
