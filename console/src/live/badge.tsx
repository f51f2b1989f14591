/** How the picture comes here: protocol, latency, tier; and why it is these, on hover and focus. */
import { Button } from 'react-aria-components/Button';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import { t } from '../text';
import type { LiveState } from './session';

export function LiveBadge({ state }: { state: LiveState }) {
  const { way, why, tier, tierReason, behindSec } = state;
  const behind = state.phase === 'playing' && behindSec !== null ? behindSec.toFixed(1) : null;
  const told = [
    t.live.wayLong[way],
    why,
    behind === null ? null : t.live.behindLong(behind),
    way === 'pictures' ? null : t.live.tierLong[tier],
    tierReason === null || way === 'pictures' ? null : (t.live.tierReason[tierReason] ?? tierReason),
  ].filter((word) => word !== null);
  return (
    <TooltipTrigger delay={300} closeDelay={50}>
      <Button className={`live-badge ${way} ${state.phase}`}>
        <span className="dot" aria-hidden="true" />
        <span>{t.live.way[way]}</span>
        {behind !== null && <span className="number">{t.live.behind(behind)}</span>}
        {way !== 'pictures' && <span>{t.live.tier[tier]}</span>}
      </Button>
      <Tooltip className="tooltip live-told" offset={6}>
        {told.map((word) => (
          <span key={word} className="block">
            {word}
          </span>
        ))}
      </Tooltip>
    </TooltipTrigger>
  );
}
