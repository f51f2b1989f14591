/** Links to an event for those who have no account: make one, see those given out, revoke. */
import type { EventDetail } from '@novavms/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { sharesOf } from '../api/queries';
import { Button, Select } from '../design/controls';
import { Secret } from '../design/secret';
import { Dialog, ErrorNote } from '../design/surfaces';
import { t } from '../text';
import { shortTime, useNow } from '../text/when';

type Length = keyof typeof t.events.shareLengths;
const LENGTHS = Object.keys(t.events.shareLengths) as Length[];

export function ShareDialog({ event, isOpen, onClose }: { event: EventDetail; isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title={t.events.shareTitle} isOpen={isOpen} onClose={onClose}>
      <Fields event={event} />
    </Dialog>
  );
}

function Fields({ event }: { event: EventDetail }) {
  const [length, setLength] = useState<Length>('24h');
  const queries = useQueryClient();
  const now = useNow();
  const shares = useQuery(sharesOf(event.id));
  const reread = () => void queries.invalidateQueries({ queryKey: ['events', 'shares', event.id] });
  const making = useMutation({ mutationFn: () => client.events.share(event.id, { expiresIn: length }), onSuccess: reread });
  const revoking = useMutation({ mutationFn: (id: string) => client.events.shares.revoke(event.id, id), onSuccess: reread });
  return (
    <div className="stack">
      <p className="quiet">{t.events.shareLead}</p>
      <Select
        label={t.events.shareFor}
        value={length}
        onChange={setLength}
        options={LENGTHS.map((id) => ({ id, label: t.events.shareLengths[id] }))}
      />
      <div>
        <Button kind="primary" icon="share" onPress={() => making.mutate()} isPending={making.isPending}>
          {t.events.shareMake}
        </Button>
      </div>
      {making.isError && <ErrorNote error={making.error} />}
      {making.data !== undefined && (
        <Secret label={t.events.shareLink} value={new URL(making.data.url, location.origin).href} hint={t.events.shareOnce} />
      )}
      {(shares.data?.length ?? 0) > 0 && (
        <div>
          <h3>{t.events.shareExisting}</h3>
          <ul>
            {shares.data?.map((share) => {
              const over = share.revokedAt !== null || Date.parse(share.expiresAt) < now;
              return (
                <li key={share.id} className="share-row">
                  <span className="grow small">
                    {over ? t.events.shareOver : t.events.shareUntil(shortTime(share.expiresAt))}
                    <span className="faint">{` · ${t.events.shareViews(share.viewCount)}`}</span>
                  </span>
                  {!over && (
                    <Button small onPress={() => revoking.mutate(share.id)} isPending={revoking.isPending}>
                      {t.events.shareRevoke}
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
        </div>
      )}
      {revoking.isError && <ErrorNote error={revoking.error} />}
    </div>
  );
}
