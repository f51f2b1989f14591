/** What happened, newest first, narrowed by the API's own filters. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { allCameras, allSites, eventList } from '../api/queries';
import { Button, ButtonLink, Checkbox, DayField, SearchField, Select } from '../design/controls';
import { Empty, ErrorPanel, Page, Skeleton } from '../design/surfaces';
import { useTyped } from '../design/typed';
import type { EventSearch } from '../router';
import { t } from '../text';
import { isFiltered, listParams } from './filters';
import { EventThumb } from './thumb';
import './events.css';
import '../cameras/cameras.css';

const ANY = '';

export function EventsPage() {
  const search = useSearch({ from: '/events' });
  const list = useInfiniteQuery(eventList(listParams(search)));
  const events = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const filtered = isFiltered(search);
  return (
    <Page title={t.events.title} detail={list.data === undefined ? ' ' : t.count.events(list.data.pages[0]?.total ?? 0)}>
      {(filtered || events.length > 0 || list.isPending) && <Filters search={search} />}
      {list.isPending && (
        <div className="events">
          <Skeleton kind="tiles" count={8} />
        </div>
      )}
      {list.isError && <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && events.length === 0 && <Nothing filtered={filtered} />}
      {events.length > 0 && (
        <ul className="events event-grid">
          {events.map((event) => (
            <li key={event.id}>
              <EventThumb event={event} search={search} fromList />
            </li>
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <div>
          <Button onPress={() => void list.fetchNextPage()} isPending={list.isFetchingNextPage}>
            {t.form.loadMore}
          </Button>
        </div>
      )}
    </Page>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const navigate = useNavigate();
  if (!filtered) {
    return (
      <Empty
        icon="events"
        title={t.events.empty}
        detail={t.events.emptyDetail}
        action={
          <ButtonLink to="/live" icon="live">
            {t.state.goHome}
          </ButtonLink>
        }
      />
    );
  }
  return (
    <Empty
      icon="search"
      title={t.events.none}
      detail={t.events.noneDetail}
      action={<Button onPress={() => void navigate({ to: '/events', search: {} })}>{t.form.clearFilters}</Button>}
    />
  );
}

function Filters({ search }: { search: EventSearch }) {
  const navigate = useNavigate({ from: '/events' });
  const cameras = useQuery(allCameras).data ?? [];
  const sites = useQuery(allSites).data ?? [];
  const [set] = useState(() => (change: Partial<EventSearch>) => void navigate({ search: (known) => ({ ...known, ...change }), replace: true }));
  const [settle] = useState(() => (q: string) => set({ q: q.trim() || undefined }));
  const [typed, setTyped] = useTyped(search.q ?? '', settle);
  return (
    <div className="toolbar" role="search" aria-label={t.events.filters}>
      <SearchField label={t.events.search} value={typed} onChange={setTyped} />
      <div className="filters">
      <Select
        bare
        label={t.cameras.camera}
        value={search.camera ?? ANY}
        onChange={(id) => set({ camera: id || undefined })}
        options={[{ id: ANY, label: t.cameras.allCameras }, ...cameras.map(({ id, name }) => ({ id, label: name }))]}
      />
      {sites.length > 1 && (
        <Select
          bare
          label={t.sites.site}
          value={search.site ?? ANY}
          onChange={(id) => set({ site: id || undefined })}
          options={[{ id: ANY, label: t.sites.allSites }, ...sites.map(({ id, name }) => ({ id, label: name }))]}
        />
      )}
      <Select
        bare
        label={t.events.triggerLabel}
        value={search.trigger ?? ANY}
        onChange={(id) => set({ trigger: id === ANY ? undefined : id })}
        options={[{ id: ANY, label: t.events.anyTrigger }, ...(['manual', 'motion', 'ai_tag'] as const).map((id) => ({ id, label: t.events.trigger[id] }))]}
      />
      <div className="days">
        <DayField bare label={t.events.from} value={search.from ?? ''} onChange={(from) => set({ from: from || undefined })} />
        <span className="faint" aria-hidden="true">
          {t.events.until}
        </span>
        <DayField bare label={t.events.to} value={search.to ?? ''} onChange={(to) => set({ to: to || undefined })} />
      </div>
      <div className="row event-checks">
        <Checkbox value={search.starred === true} onChange={(on) => set({ starred: on ? true : undefined })}>
          {t.events.starred}
        </Checkbox>
        <Checkbox value={search.open === true} onChange={(on) => set({ open: on ? true : undefined })}>
          {t.events.open}
        </Checkbox>
      </div>
      </div>
    </div>
  );
}
