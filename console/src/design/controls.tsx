/** Buttons and fields: React Aria's behaviour (keyboard, screen readers, touch) under this console's looks. */
import { createLink } from '@tanstack/react-router';
import { useId, useState, type ComponentProps, type ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { Checkbox as AriaCheckbox } from 'react-aria-components/Checkbox';
import { FieldError } from 'react-aria-components/FieldError';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select';
import { Switch as AriaSwitch } from 'react-aria-components/Switch';
import { Text } from 'react-aria-components/Text';
import { TextArea as AriaTextArea } from 'react-aria-components/TextArea';
import { TextField as AriaTextField } from 'react-aria-components/TextField';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { ToggleButtonGroup } from 'react-aria-components/ToggleButtonGroup';
import { Tooltip, TooltipTrigger } from 'react-aria-components/Tooltip';
import { t } from '../text';
import './controls.css';
import { Icon, type IconName } from './icons';

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style' | 'children'> {
  children: ReactNode;
  kind?: 'primary' | 'plain' | 'quiet' | 'danger';
  icon?: IconName;
  small?: boolean;
}

export function Button({ children, kind = 'plain', icon, small = false, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} className={`button ${kind}${small ? ' small-button' : ''}`}>
      {rest.isPending ? <span className="spinner" aria-hidden="true" /> : icon !== undefined && <Icon name={icon} size={16} filled={icon === 'record'} />}
      <span>{children}</span>
    </AriaButton>
  );
}

/** A button that is only an icon; its label is heard and shown on hover and focus. */
export function IconButton({
  icon,
  label,
  kind = 'quiet',
  filled = false,
  ...rest
}: Omit<ButtonProps, 'children' | 'icon'> & { icon: IconName; label: string; filled?: boolean }) {
  return (
    <TooltipTrigger delay={500} closeDelay={50}>
      <AriaButton {...rest} aria-label={label} className={`button icon-only ${kind}`}>
        <Icon name={icon} filled={filled} />
      </AriaButton>
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}

/** Looks like a button, leads somewhere. `to` and the rest are the router's. */
export const ButtonLink = createLink(AnchorButton);

function AnchorButton({
  children,
  kind = 'plain',
  icon,
  small = false,
  ...rest
}: ComponentProps<'a'> & { kind?: ButtonProps['kind']; icon?: IconName; small?: boolean }) {
  return (
    <a {...rest} className={`button ${kind}${small ? ' small-button' : ''}`}>
      {icon !== undefined && <Icon name={icon} size={16} />}
      <span>{children}</span>
    </a>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: string | undefined;
  isRequired?: boolean;
  isDisabled?: boolean;
  autoFocus?: boolean;
  name?: string;
  placeholder?: string;
  autoComplete?: string;
  maxLength?: number;
}

export function TextField({
  label,
  hint,
  error,
  placeholder,
  type = 'text',
  mono = false,
  ...rest
}: FieldProps & { type?: 'text' | 'email' | 'url' | 'search'; mono?: boolean; inputMode?: 'numeric' | 'text' }) {
  return (
    <AriaTextField {...rest} type={type} isInvalid={error !== undefined} className="field" validationBehavior="aria">
      <Label className="label">{label}</Label>
      <Input className={`input${mono ? ' mono' : ''}`} placeholder={placeholder} />
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
    </AriaTextField>
  );
}

export function TextArea({ label, hint, error, placeholder, rows = 3, ...rest }: FieldProps & { rows?: number }) {
  return (
    <AriaTextField {...rest} isInvalid={error !== undefined} className="field" validationBehavior="aria">
      <Label className="label">{label}</Label>
      <AriaTextArea className="input area" rows={rows} placeholder={placeholder} />
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
    </AriaTextField>
  );
}

/** A password that can be looked at: typing one for a camera blind is how the wrong one gets there. */
export function PasswordField({ label, hint, error, ...rest }: FieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <AriaTextField
      {...rest}
      type={shown ? 'text' : 'password'}
      isInvalid={error !== undefined}
      className="field"
      validationBehavior="aria"
    >
      <Label className="label">{label}</Label>
      <div className="input-with">
        <Input className="input" spellCheck={false} autoCapitalize="none" />
        <AriaButton className="input-end" onPress={() => setShown(!shown)} aria-label={shown ? t.form.hidePassword : t.form.showPassword}>
          {shown ? t.form.hide : t.form.show}
        </AriaButton>
      </div>
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error">{error}</FieldError>
    </AriaTextField>
  );
}

export function SearchField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <AriaTextField type="search" value={value} onChange={onChange} aria-label={label} className="field search-field">
      <Icon name="search" size={16} />
      <Input className="input" placeholder={label} />
    </AriaTextField>
  );
}

export interface Option<Id extends string = string> {
  id: Id;
  label: string;
  detail?: string;
}

/** One of a few. `bare`: the label is heard, not shown (filters, where the value says what it is). */
export function Select<Id extends string>({
  label,
  options,
  value,
  onChange,
  bare = false,
  hint,
  ...rest
}: {
  label: string;
  options: readonly Option<Id>[];
  value: Id | null;
  onChange: (id: Id) => void;
  bare?: boolean;
  hint?: string;
  isDisabled?: boolean;
  isRequired?: boolean;
  placeholder?: string;
}) {
  return (
    <AriaSelect
      {...rest}
      aria-label={bare ? label : undefined}
      value={value}
      onChange={(key) => key !== null && onChange(String(key) as Id)}
      className={`field select${bare ? ' bare' : ''}`}
    >
      {!bare && <Label className="label">{label}</Label>}
      <AriaButton className="input select-button">
        <SelectValue className="cut">
          {({ selectedText, defaultChildren }) => (selectedText === '' || selectedText === null ? defaultChildren : selectedText)}
        </SelectValue>
        <Icon name="down" size={16} />
      </AriaButton>
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <Popover className="popover" offset={4}>
        <ListBox className="listbox" items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className="option">
              {({ isSelected }) => (
                <>
                  <span className="grow">
                    <Text slot="label">{option.label}</Text>
                    {option.detail !== undefined && (
                      <Text slot="description" className="hint">
                        {option.detail}
                      </Text>
                    )}
                  </span>
                  {isSelected && <Icon name="check" size={16} />}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export function Checkbox({
  children,
  value,
  onChange,
  isDisabled,
}: {
  children: ReactNode;
  value: boolean;
  onChange: (value: boolean) => void;
  isDisabled?: boolean;
}) {
  return (
    <AriaCheckbox isSelected={value} onChange={onChange} isDisabled={isDisabled} className="checkbox">
      <span className="box" aria-hidden="true">
        <Icon name="check" size={14} />
      </span>
      <span>{children}</span>
    </AriaCheckbox>
  );
}

export function Switch({ children, value, onChange }: { children: ReactNode; value: boolean; onChange: (value: boolean) => void }) {
  return (
    <AriaSwitch isSelected={value} onChange={onChange} className="switch">
      <span className="track" aria-hidden="true" />
      <span>{children}</span>
    </AriaSwitch>
  );
}

/** Two to five choices side by side. */
export function Segmented<Id extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly (Option<Id> & { icon?: IconName })[];
  value: Id;
  onChange: (id: Id) => void;
}) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      className="segmented"
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const [key] = keys;
        if (key !== undefined) onChange(String(key) as Id);
      }}
    >
      {options.map(({ id, label: name, icon }) => (
        <ToggleButton key={id} id={id} className="segment" aria-label={icon === undefined ? undefined : name}>
          {icon === undefined ? name : <Icon name={icon} size={16} />}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

/** The browser's own field for a day or a time: it knows the person's calendar, and works on phones. */
export function DayField({
  label,
  value,
  onChange,
  type = 'date',
  bare = false,
  step,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: 'date' | 'datetime-local' | 'time';
  bare?: boolean;
  step?: number;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className={bare ? 'only-heard' : 'label'}>
        {label}
      </label>
      <input id={id} className="input" type={type} step={step} value={value} onChange={(event) => onChange(event.target.value)} />
    </div>
  );
}
