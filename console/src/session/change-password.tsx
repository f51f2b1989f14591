import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import { Button, PasswordField } from '../design/controls';
import { Dialog, ErrorNote } from '../design/surfaces';
import { t } from '../text';
import { useNewPassword } from './sign-in';

export function ChangePassword({ isOpen, onClose, onChanged }: { isOpen: boolean; onClose: () => void; onChanged: () => void }) {
  return (
    <Dialog title={t.password.title} isOpen={isOpen} onClose={onClose} size="s">
      <Fields onChanged={onChanged} />
    </Dialog>
  );
}

function Fields({ onChanged }: { onChanged: () => void }) {
  const [current, setCurrent] = useState('');
  const { fresh, fields, ready } = useNewPassword();
  const changing = useMutation({
    mutationFn: () => client.auth.changePassword({ currentPassword: current, newPassword: fresh }),
    onSuccess: onChanged,
  });
  return (
    <form
      className="stack"
      onSubmit={(submit) => {
        submit.preventDefault();
        changing.mutate();
      }}
    >
      <PasswordField label={t.password.current} autoComplete="current-password" value={current} onChange={setCurrent} isRequired autoFocus />
      {fields}
      {changing.isError && <ErrorNote error={changing.error} />}
      <Button type="submit" kind="primary" isPending={changing.isPending} isDisabled={!ready || current === ''}>
        {t.password.submit}
      </Button>
    </form>
  );
}
