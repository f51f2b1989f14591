/** The first visit: from an empty organization to a live picture in three steps. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { allGateways } from '../api/queries';
import { Button, ButtonLink } from '../design/controls';
import { Icon } from '../design/icons';
import { ErrorPanel, Skeleton } from '../design/surfaces';
import { t } from '../text';
import './cameras.css';

const PairDialog = lazy(() => import('../gateways/pair-dialog').then(({ PairDialog: Found }) => ({ default: Found })));

export function FirstSteps() {
  const found = useQuery(allGateways);
  const gateways = found.data;
  const [pairing, setPairing] = useState(false);
  if (found.isError && gateways === undefined) return <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />;
  if (gateways === undefined) return <Skeleton kind="rows" count={3} />;
  const paired = gateways.find(({ pairedAt }) => pairedAt !== null);
  const words = t.cameras.steps;
  return (
    <section className="first-steps" aria-label={words.title}>
      <div className="first-head">
        <span className="empty-icon">
          <Icon name="live" size={28} />
        </span>
        <h2>{words.title}</h2>
        <p className="quiet">{words.lead}</p>
      </div>
      <ol>
        <Step number={1} done={paired !== undefined} title={words.gateway} detail={paired === undefined ? words.gatewayDetail : words.gatewayDone(paired.name)}>
          {paired === undefined && (
            <Button kind="primary" onPress={() => setPairing(true)}>
              {words.gatewayAct}
            </Button>
          )}
        </Step>
        <Step number={2} done={false} title={words.camera} detail={words.cameraDetail}>
          <ButtonLink to="/cameras/add" search={paired === undefined ? {} : { gateway: paired.id }} kind={paired === undefined ? 'plain' : 'primary'}>
            {paired === undefined ? words.cameraDirect : words.cameraAct}
          </ButtonLink>
        </Step>
        <Step number={3} done={false} title={words.watch} detail={words.watchDetail} />
      </ol>
      <Suspense>{pairing && <PairDialog isOpen onClose={() => setPairing(false)} />}</Suspense>
    </section>
  );
}

function Step({ number, done, title, detail, children }: { number: number; done: boolean; title: string; detail: string; children?: ReactNode }) {
  return (
    <li className={`first-step${done ? ' done' : ''}`}>
      <span className="first-number" aria-hidden="true">
        {done ? <Icon name="check" size={16} /> : number}
      </span>
      <div className="grow">
        <h3>{title}</h3>
        <p className="quiet">{detail}</p>
      </div>
      {children}
    </li>
  );
}
