/** The exports there are, as they are made. */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Export } from '@novavms/sdk';
import { client } from '../api/client';
import { exportList } from '../api/queries';
import { Button } from '../design/controls';
import { Badge, ErrorNote, Progress } from '../design/surfaces';
import { tellError } from '../design/toasts';
import { t } from '../text';
import { bytes, clock, day, duration } from '../text/when';

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
        <span className="small number">{`${day(made.from)}, ${clock(made.from)}`}</span>
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
