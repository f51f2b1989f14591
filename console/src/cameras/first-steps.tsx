/** The first visit: from an empty organization to a picture in three steps. */
import { useQuery } from '@tanstack/react-query';
import { allGateways, allSites } from '../api/queries';
import { ButtonLink } from '../design/controls';
import { Icon } from '../design/icons';
import { useMay } from '../session/session';
import { t } from '../text';

export function FirstSteps() {
  const sites = useQuery(allSites);
  const gateways = useQuery(allGateways);
  const admin = useMay('admin');
  if (sites.data === undefined || gateways.data === undefined) return null;
  const hasSite = sites.data.length > 0;
  const hasGateway = gateways.data.some(({ pairedAt }) => pairedAt !== null);
  const steps = [
    { done: hasSite, to: '/sites', title: t.cameras.steps.site, detail: t.cameras.steps.siteDetail, open: !hasSite && admin },
    { done: hasGateway, to: '/gateways', title: t.cameras.steps.gateway, detail: t.cameras.steps.gatewayDetail, open: hasSite && !hasGateway },
    { done: false, to: '/cameras/add', title: t.cameras.steps.camera, detail: t.cameras.steps.cameraDetail, open: hasSite },
  ] as const;
  return (
    <section className="first-steps" aria-label={t.cameras.steps.title}>
      <h2>{t.cameras.steps.title}</h2>
      <ol>
        {steps.map(({ done, to, title, detail, open }, index) => (
          <li key={to} className={`first-step${done ? ' done' : ''}`}>
            <span className="first-number" aria-hidden="true">
              {done ? <Icon name="check" size={16} /> : index + 1}
            </span>
            <div className="grow">
              <h3>{title}</h3>
              <p className="quiet">{done ? t.cameras.steps.done : detail}</p>
            </div>
            {open && (
              <ButtonLink to={to} kind={steps.findIndex((step) => step.open) === index ? 'primary' : 'plain'}>
                {title}
              </ButtonLink>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
