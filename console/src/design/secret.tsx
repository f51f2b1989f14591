/** A value that is shown once, to be taken along: a key, a link, a password. */
import { useId, useState } from 'react';
import { t } from '../text';
import { Button } from './controls';

export function Secret({ label, value, hint }: { label: string; value: string; hint?: string }) {
  const [copied, setCopied] = useState(false);
  const id = useId();
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <div className="share-link row">
        <input id={id} className="input mono" readOnly value={value} onFocus={(event) => event.target.select()} aria-describedby={`${id}-hint`} />
        <Button
          icon={copied ? 'check' : 'copy'}
          onPress={() => void navigator.clipboard?.writeText(value).then(() => setCopied(true), () => undefined)}
        >
          {copied ? t.form.copied : t.form.copy}
        </Button>
      </div>
      <span id={`${id}-hint`} className="hint">
        {hint}
      </span>
    </div>
  );
}
