/** What is around every page: navigation by role, the account, whether the server is there. */
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { useConnection } from '../api/client';
import { follow } from '../api/feed';
import { Segmented } from '../design/controls';
import { Icon, type IconName } from '../design/icons';
import { Dialog, Menu, Note } from '../design/surfaces';
import { tell } from '../design/toasts';
import { ChangePassword } from '../session/change-password';
import { end, may, signOut, useMe, type Role } from '../session/session';
import { setTheme, theme, type Theme } from '../session/theme';
import { t } from '../text';
import { useFocusOfPage } from './focus';
import './shell.css';

interface Place {
  to: string;
  label: string;
  icon: IconName;
  least: Role;
}

/** In the order of use; the first four are a phone's bar. */
const PLACES: readonly Place[] = [
  { to: '/live', label: t.nav.live, icon: 'live', least: 'viewer' },
  { to: '/cameras', label: t.nav.cameras, icon: 'camera', least: 'viewer' },
  { to: '/events', label: t.nav.events, icon: 'events', least: 'viewer' },
  { to: '/recordings', label: t.nav.recordings, icon: 'recordings', least: 'viewer' },
  { to: '/gateways', label: t.nav.gateways, icon: 'gateway', least: 'viewer' },
  { to: '/sites', label: t.nav.sites, icon: 'site', least: 'viewer' },
  { to: '/people', label: t.nav.people, icon: 'people', least: 'admin' },
];
const IN_BAR = 4;

export function Shell() {
  const me = useMe();
  const queries = useQueryClient();
  useEffect(() => {
    const ending = new AbortController();
    void follow(queries, ending.signal, () => end(true));
    return () => ending.abort();
  }, [queries]);
  useFocusOfPage();
  const places = PLACES.filter(({ least }) => may(me, least));
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t.nav.skip}
      </a>
      <aside className="side">
        <Link to="/" className="brand" aria-label={t.product}>
          <img src="/icon.svg" alt="" width={28} height={28} />
          <span className="brand-name">{t.product}</span>
        </Link>
        <nav aria-label={t.nav.label} className="side-nav">
          {places.map((place) => (
            <PlaceLink key={place.to} place={place} />
          ))}
        </nav>
        <Account />
      </aside>
      <div className="main-column">
        <ConnectionBar />
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <BottomBar places={places} />
    </div>
  );
}

function PlaceLink({ place }: { place: Place }) {
  return (
    <Link to={place.to} className="place" activeProps={{ 'aria-current': 'page' }} title={place.label}>
      <Icon name={place.icon} size={20} />
      <span className="place-name">{place.label}</span>
    </Link>
  );
}

function BottomBar({ places }: { places: readonly Place[] }) {
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => setOpen(false), [path]);
  return (
    <nav className="bottom" aria-label={t.nav.label}>
      {places.slice(0, IN_BAR).map((place) => (
        <PlaceLink key={place.to} place={place} />
      ))}
      <AriaButton className="place" onPress={() => setOpen(true)}>
        <Icon name="list" size={20} />
        <span className="place-name">{t.nav.more}</span>
      </AriaButton>
      <Dialog title={t.nav.more} isOpen={open} onClose={() => setOpen(false)}>
        <div className="stack tight more-places">
          {places.slice(IN_BAR).map((place) => (
            <PlaceLink key={place.to} place={place} />
          ))}
          <Account />
        </div>
      </Dialog>
    </nav>
  );
}

function Account() {
  const me = useMe();
  const [dialog, setDialog] = useState<'password' | 'theme' | null>(null);
  return (
    <div className="account">
      <Menu
        label={t.account.open}
        actions={[
          { id: 'theme', label: t.account.theme, icon: 'sun', act: () => setDialog('theme') },
          { id: 'password', label: t.account.changePassword, icon: 'key', act: () => setDialog('password') },
          { id: 'docs', label: t.nav.apiDocs, icon: 'export', act: () => void window.open('/docs', '_blank', 'noopener') },
          { id: 'out', label: t.account.signOut, icon: 'person', act: () => void signOut().catch(() => undefined) },
        ]}
      >
        <AriaButton className="account-button">
          <span className="only-heard">{t.account.open}</span>
          <span className="avatar" aria-hidden="true">
            {me.displayName.slice(0, 1).toUpperCase()}
          </span>
          <span className="account-name">
            <span className="cut">{me.displayName}</span>
            <span className="cut faint">
              {`${t.role[me.role]} · ${me.orgName}`}
            </span>
          </span>
        </AriaButton>
      </Menu>
      <ThemeDialog isOpen={dialog === 'theme'} onClose={() => setDialog(null)} />
      <ChangePassword
        isOpen={dialog === 'password'}
        onClose={() => setDialog(null)}
        onChanged={() => {
          setDialog(null);
          tell(t.password.changed);
        }}
      />
    </div>
  );
}

function ThemeDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const [chosen, setChosen] = useState<Theme>(theme);
  return (
    <Dialog title={t.account.theme} isOpen={isOpen} onClose={onClose} size="s">
      <Segmented
        label={t.account.theme}
        value={chosen}
        onChange={(next) => {
          setChosen(next);
          setTheme(next);
        }}
        options={[
          { id: 'system', label: t.account.themes.system },
          { id: 'dark', label: t.account.themes.dark },
          { id: 'light', label: t.account.themes.light },
        ]}
      />
    </Dialog>
  );
}

function ConnectionBar() {
  const connection = useConnection();
  return (
    <div role="status" aria-live="polite">
      {connection === 'lost' && (
        <div className="connection">
          <Note tone="warn" icon="offline">
            <strong>{t.state.offlineTitle}</strong> <span>{t.state.offlineDetail}</span>
          </Note>
        </div>
      )}
    </div>
  );
}
