/** The people of the organization, and the programs that call the API. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components/Tabs';
import { Forbidden, Page } from '../design/surfaces';
import { useMay } from '../session/session';
import { t } from '../text';
import { Accounts } from './accounts';
import { Users } from './users';
import './people.css';

export function PeoplePage() {
  const { tab } = useSearch({ from: '/people' });
  const navigate = useNavigate({ from: '/people' });
  const admin = useMay('admin');
  if (!admin) {
    return <Forbidden icon="key" title={t.people.title} />;
  }
  return (
    <Page title={t.people.title}>
      <Tabs
        className="tabs"
        selectedKey={tab ?? 'users'}
        onSelectionChange={(key) => void navigate({ search: { tab: key === 'accounts' ? 'accounts' : undefined }, replace: true })}
      >
        <TabList className="tab-list" aria-label={t.people.title}>
          <Tab id="users" className="tab">
            {t.people.users}
          </Tab>
          <Tab id="accounts" className="tab">
            {t.people.accounts}
          </Tab>
        </TabList>
        <TabPanel id="users" className="tab-panel">
          <Users />
        </TabPanel>
        <TabPanel id="accounts" className="tab-panel">
          <Accounts />
        </TabPanel>
      </Tabs>
    </Page>
  );
}
