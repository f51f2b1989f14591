/** What things lie on, and what is said where there are none: pages, cards, dialogs, menus, states. */
import { APIConnectionError, APIError, NovaVMSError } from '@novavms/sdk';
import { useEffect, type ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Menu as AriaMenu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { Popover } from 'react-aria-components/Popover';
import { t } from '../text';
import { Button, IconButton } from './controls';
import { Icon, type IconName } from './icons';
import './surfaces.css';

/** A page: its title (also the window's), what can be done, and the content. */
export function Page({
  title,
  detail,
  actions,
  before,
  children,
  wide = true,
}: {
  title: string;
  detail?: ReactNode;
  actions?: ReactNode;
  before?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}) {
  useEffect(() => {
    document.title = t.title(title);
  }, [title]);
  return (
    <div className={`page${wide ? '' : ' narrow'}`}>
      <header className="page-head">
        {before}
        <div className="grow">
          <h1 className="cut">{title}</h1>
          {detail !== undefined && <div className="page-detail">{detail}</div>}
        </div>
        {actions !== undefined && <div className="row wrap page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({ title, actions, children, flush = false }: { title?: string; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={`card${flush ? ' flush' : ''}`} aria-label={title}>
      {title !== undefined && (
        <header className="card-head">
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'accent';

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`badge ${tone}`}>
      <span className="dot" aria-hidden="true" />
      {children}
    </span>
  );
}

/** Facts as a list of terms. Those without a value are left out. */
export function Facts({ items }: { items: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {items
        .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  size = 'm',
  actions,
  alert = false,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  size?: 's' | 'm' | 'l';
  actions?: ReactNode;
  alert?: boolean;
}) {
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable={!alert}>
      <Modal className={`modal size-${size}`}>
        <AriaDialog className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
          <header className="dialog-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            {!alert && <IconButton icon="close" label={t.form.close} onPress={onClose} />}
          </header>
          <div className="dialog-body">{children}</div>
          {actions !== undefined && <footer className="dialog-foot">{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface MenuAction {
  id: string;
  label: string;
  icon?: IconName;
  bad?: boolean;
  act: () => void;
}

export function Menu({ label, actions, children }: { label: string; actions: readonly MenuAction[]; children?: ReactNode }) {
  return (
    <MenuTrigger>
      {children ?? (
        <AriaButton className="button quiet icon-only" aria-label={label}>
          <Icon name="more" />
        </AriaButton>
      )}
      <Popover className="popover" placement="bottom end" offset={4}>
        <AriaMenu className="listbox" aria-label={label} onAction={(key) => actions.find(({ id }) => id === key)?.act()}>
          {actions.map(({ id, label: name, icon, bad }) => (
            <MenuItem key={id} id={id} textValue={name} className={`option${bad ? ' bad-option' : ''}`}>
              {icon !== undefined && <Icon name={icon} size={16} />}
              {name}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

/** The head of a table's last column, whose cells are buttons. */
export function ActionsHead() {
  return (
    <th className="end">
      <span className="only-heard">{t.form.more}</span>
    </th>
  );
}

/** Nothing here yet: what it would be, and the way to the first one. */
export function Empty({ icon, title, detail, action }: { icon: IconName; title: string; detail: string; action?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={26} />
      </span>
      <h2>{title}</h2>
      <p>{detail}</p>
      {action}
    </div>
  );
}

/** A page that whoever opened it by its address may not use. */
export function Forbidden({ icon, title }: { icon: IconName; title: string }) {
  return (
    <Page title={title}>
      <Empty icon={icon} title={title} detail={t.state.forbidden} />
    </Page>
  );
}

/** What the API says of an error, word for word, and how to find the request in its log. */
export function sentenceOf(error: unknown): string {
  if (error instanceof APIConnectionError) return t.state.noAnswer;
  if (error instanceof NovaVMSError) return error.message;
  return t.state.crashed;
}

export function ErrorNote({ error }: { error: unknown }) {
  const told = error instanceof APIError ? error : null;
  const fields = told !== null && told.details.length > 1 ? told.details : [];
  return (
    <div className="note bad" role="alert">
      <Icon name="warn" />
      <div className="grow">
        <p>{sentenceOf(error)}</p>
        {fields.length > 0 && (
          <ul>
            {fields.map((problem) => (
              <li key={problem.field + problem.message}>{problem.message}</li>
            ))}
          </ul>
        )}
        {told !== null && told.hint !== null && <p className="quiet">{told.hint}</p>}
        {told !== null && told.requestId !== null && (
          <p className="request">
            {t.state.request} <code className="mono">{told.requestId}</code>
          </p>
        )}
      </div>
    </div>
  );
}

/** In the place of a list or a page that could not be read. */
export function ErrorPanel({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div className="stack error-panel">
      <ErrorNote error={error} />
      {onRetry !== undefined && (
        <div>
          <Button onPress={onRetry}>{t.form.retry}</Button>
        </div>
      )}
    </div>
  );
}

export function Note({ tone, icon, children, action }: { tone: Tone; icon?: IconName; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={`note ${tone}`}>
      {icon !== undefined && <Icon name={icon} />}
      <div className="grow">{children}</div>
      {action}
    </div>
  );
}

/** The shape of what is being read. Heard as "Loading". `tiles` are as wide as the list's own, by its `--tile`. */
export function Skeleton({ kind, count = 6 }: { kind: 'tiles' | 'rows' | 'page'; count?: number }) {
  return (
    <div className={`skeleton skeleton-${kind}`} role="status" aria-label={t.state.loading}>
      {Array.from({ length: count }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** `value` from 0 to 1; without one it only says that something goes on. */
export function Progress({ label, value }: { label: string; value?: number }) {
  const percent = value === undefined ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div className="progress" role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <span className={percent === undefined ? 'endless' : ''} style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  );
}
