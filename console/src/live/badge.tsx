/** How the picture comes here: protocol, latency, tier; why it is these, on hover and focus; another way, with a press. */
import { Button } from 'react-aria-components/Button';
import { Menu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import { Icon } from '../design/icons';
import { t } from '../text';
import { CHOICES, choose, useChoice } from './choice';
import type { LiveState, Way } from './way';

/** `sounds`: the camera has sound. */
export function LiveBadge({ state, way, sounds }: { state: LiveState; way: Way; sounds: boolean }) {
  const choice = useChoice();
  const { why, tier, tierReason, behindSec } = state;
  const behind = state.phase === 'playing' && behindSec !== null ? t.live.seconds(behindSec) : null;
  const told = [
    t.live.wayLong[way],
    why,
    behind === null ? null : way === 'webrtc' ? t.live.onItsWay(behind) : t.live.behindLong(behind),
    way === 'webrtc' && sounds && state.phase === 'playing' && !state.hasAudio ? t.live.noSound : null,
    way === 'pictures' ? null : t.live.tierLong[tier],
    tierReason === null || way === 'pictures' ? null : (t.live.tierReason[tierReason] ?? tierReason),
  ].filter((word) => word !== null);
  return (
    <MenuTrigger>
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
      <Popover className="popover" placement="top start" offset={4}>
        <Menu
          className="listbox"
          aria-label={t.live.choice}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[choice]}
          onAction={(key) => choose(CHOICES.find((each) => each === key) ?? 'auto')}
        >
          {CHOICES.map((each) => (
            <MenuItem key={each} id={each} textValue={t.live.choices[each]} className="option">
              {({ isSelected }) => (
                <>
                  <span className="grow">{t.live.choices[each]}</span>
                  {isSelected && <Icon name="check" size={16} />}
                </>
              )}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
