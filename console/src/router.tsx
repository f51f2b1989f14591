/** Every address of the console. A page's code is loaded with its first visit; filters are in the address, so that they can be shared. */
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type ErrorComponentProps,
} from '@tanstack/react-router';
import type { QueryClient } from '@tanstack/react-query';
import { Button } from './design/controls';
import { Empty, ErrorPanel, Skeleton } from './design/surfaces';
import { LivePage } from './live/live-page';
import type { RecordingsSearch } from './recordings/address';
import { Shell } from './shell/shell';
import { t } from './text';

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const yes = (value: unknown) => (value === true ? true : undefined);
/** One, or several: `?camera=…&camera=…`. */
const several = (value: unknown) => (Array.isArray(value) ? value.filter((each) => typeof each === 'string') : text(value));
function one<T extends string>(value: unknown, ...of: T[]): T | undefined {
  return of.find((each) => each === value);
}

const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Shell, notFoundComponent: NotFound });

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/live', replace: true });
  },
});

const live = createRoute({
  getParentRoute: () => root,
  path: '/live',
  component: LivePage,
});

export interface CameraSearch {
  q?: string | undefined;
  site?: string | undefined;
  gateway?: string | undefined;
  status?: 'online' | 'offline' | 'pending' | 'error' | 'disabled' | undefined;
  type?: 'rtsp' | 'onvif' | undefined;
  mode?: 'gateway' | 'direct' | undefined;
  view?: 'list' | undefined;
}

const cameras = createRoute({
  getParentRoute: () => root,
  path: '/cameras',
  component: lazyRouteComponent(() => import('./cameras/cameras-page'), 'CamerasPage'),
  validateSearch: (search): CameraSearch => ({
    q: text(search['q']),
    site: text(search['site']),
    gateway: text(search['gateway']),
    status: one(search['status'], 'online', 'offline', 'pending', 'error', 'disabled'),
    type: one(search['type'], 'rtsp', 'onvif'),
    mode: one(search['mode'], 'gateway', 'direct'),
    view: one(search['view'], 'list'),
  }),
});

const addCamera = createRoute({
  getParentRoute: () => root,
  path: '/cameras/add',
  validateSearch: (search): { gateway?: string | undefined } => ({ gateway: text(search['gateway']) }),
  component: lazyRouteComponent(() => import('./cameras/add-page'), 'AddCameraPage'),
});

const camera = createRoute({
  getParentRoute: () => root,
  path: '/cameras/$cameraId',
  component: lazyRouteComponent(() => import('./cameras/camera-page'), 'CameraPage'),
});

export interface EventSearch {
  q?: string | undefined;
  site?: string | undefined;
  camera?: string | undefined;
  trigger?: 'motion' | 'ai_tag' | 'manual' | undefined;
  starred?: true | undefined;
  open?: true | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export const eventSearch = (search: Record<string, unknown>): EventSearch => ({
  q: text(search['q']),
  site: text(search['site']),
  camera: text(search['camera']),
  trigger: one(search['trigger'], 'motion', 'ai_tag', 'manual'),
  starred: yes(search['starred']),
  open: yes(search['open']),
  from: text(search['from']),
  to: text(search['to']),
});

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: eventSearch,
  component: lazyRouteComponent(() => import('./events/events-page'), 'EventsPage'),
});

const event = createRoute({
  getParentRoute: () => root,
  path: '/events/$eventId',
  validateSearch: eventSearch,
  component: lazyRouteComponent(() => import('./events/event-page'), 'EventPage'),
});

const recordings = createRoute({
  getParentRoute: () => root,
  path: '/recordings',
  validateSearch: (search): RecordingsSearch => ({
    camera: several(search['camera']),
    at: text(search['at']),
    still: yes(search['still']),
    from: text(search['from']),
    to: text(search['to']),
  }),
  component: lazyRouteComponent(() => import('./recordings/recordings-page'), 'RecordingsPage'),
});

const gateways = createRoute({
  getParentRoute: () => root,
  path: '/gateways',
  component: lazyRouteComponent(() => import('./gateways/gateways-page'), 'GatewaysPage'),
});

const gateway = createRoute({
  getParentRoute: () => root,
  path: '/gateways/$gatewayId',
  component: lazyRouteComponent(() => import('./gateways/gateway-page'), 'GatewayPage'),
});

const sites = createRoute({
  getParentRoute: () => root,
  path: '/sites',
  component: lazyRouteComponent(() => import('./sites/sites-page'), 'SitesPage'),
});

const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  validateSearch: (search): { tab?: 'accounts' | undefined } => ({ tab: one(search['tab'], 'accounts') }),
  component: lazyRouteComponent(() => import('./people/people-page'), 'PeoplePage'),
});

export const router = createRouter({
  routeTree: root.addChildren([index, live, cameras, addCamera, camera, events, event, recordings, gateways, gateway, sites, people]),
  context: { queries: undefined as unknown as QueryClient },
  defaultPreload: 'intent',
  defaultPendingMs: 300,
  defaultPendingComponent: () => (
    <div className="page">
      <Skeleton kind="page" count={2} />
    </div>
  ),
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  return (
    <div className="page">
      <Empty
        icon="search"
        title={t.state.notFoundTitle}
        detail={t.state.notFoundDetail}
        action={<Button onPress={() => void router.navigate({ to: '/live' })}>{t.state.goHome}</Button>}
      />
    </div>
  );
}

function Broken({ error }: ErrorComponentProps) {
  return (
    <div className="page">
      <ErrorPanel error={error} onRetry={() => location.reload()} />
    </div>
  );
}
