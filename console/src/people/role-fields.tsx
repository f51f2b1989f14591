/** Role, and for viewers the sites to see: the same for people and programs. */
import { useQuery } from '@tanstack/react-query';
import { allSites } from '../api/queries';
import { Checkbox, Select } from '../design/controls';
import { t } from '../text';

export type GivenRole = 'admin' | 'operator' | 'viewer';
const ROLES: readonly GivenRole[] = ['viewer', 'operator', 'admin'];

export function RoleFields({
  role,
  onRole,
  siteIds,
  onSiteIds,
}: {
  role: GivenRole;
  /** Null where it is fixed. */
  onRole: ((role: GivenRole) => void) | null;
  siteIds: readonly string[];
  onSiteIds: (ids: string[]) => void;
}) {
  const sites = useQuery(allSites).data ?? [];
  return (
    <>
      {onRole !== null && (
        <Select
          label={t.people.role}
          value={role}
          onChange={onRole}
          options={ROLES.map((id) => ({ id, label: t.role[id], detail: t.roleDetail[id] }))}
        />
      )}
      {role === 'viewer' && (
        <fieldset className="field plain-fieldset">
          <legend className="label">{t.people.sites}</legend>
          <div className="site-checks">
            {sites.map(({ id, name }) => (
              <Checkbox
                key={id}
                value={siteIds.includes(id)}
                onChange={(on) => onSiteIds(on ? [...siteIds, id] : siteIds.filter((known) => known !== id))}
              >
                {name}
              </Checkbox>
            ))}
          </div>
          <span className="hint">{t.people.sitesHint}</span>
        </fieldset>
      )}
    </>
  );
}

export function SitesCell({ role, siteIds }: { role: string; siteIds: readonly string[] | null }) {
  const sites = useQuery(allSites).data ?? [];
  if (role !== 'viewer' || siteIds === null) return <>{t.people.allSites}</>;
  return <>{sites.filter(({ id }) => siteIds.includes(id)).map(({ name }) => name).join(', ')}</>;
}
