/** Sign in, ask for a new password, and setting one: what there is before the console. */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { client } from '../api/client';
import { Button, Checkbox, PasswordField, TextField } from '../design/controls';
import { ErrorNote, Note } from '../design/surfaces';
import { t } from '../text';
import { reread, signIn, signOut } from './session';
import './sign-in.css';

function Gate({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  useEffect(() => {
    document.title = t.title(title);
  }, [title]);
  return (
    <main className="gate">
      <div className="gate-card">
        <div className="gate-brand">
          <img src="/icon.svg" alt="" width={40} height={40} />
          <span>{t.product}</span>
        </div>
        <div className="stack tight">
          <h1>{title}</h1>
          {lead !== undefined && <p className="quiet">{lead}</p>}
        </div>
        {children}
      </div>
    </main>
  );
}

export function SignIn({ ended }: { ended: boolean }) {
  const [asking, setAsking] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [rememberMe, setRememberMe] = useState(false);
  const entering = useMutation({ mutationFn: () => signIn({ email: email.trim(), password, rememberMe }) });
  if (asking) return <Forgot email={email} onBack={() => setAsking(false)} />;
  return (
    <Gate title={t.signIn.title} lead={t.signIn.lead}>
      {ended && !entering.isError && <Note tone="accent">{t.signIn.ended}</Note>}
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          entering.mutate();
        }}
      >
        <TextField label={t.signIn.email} type="email" name="email" autoComplete="username" value={email} onChange={setEmail} autoFocus isRequired />
        <PasswordField
          label={t.signIn.password}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          isRequired
        />
        <Checkbox value={rememberMe} onChange={setRememberMe}>
          {t.signIn.stay}
        </Checkbox>
        {entering.isError && <ErrorNote error={entering.error} />}
        <Button type="submit" kind="primary" isPending={entering.isPending} isDisabled={email === '' || password === ''}>
          {t.signIn.submit}
        </Button>
        <Button kind="quiet" onPress={() => setAsking(true)}>
          {t.signIn.forgot}
        </Button>
      </form>
    </Gate>
  );
}

function Forgot({ email: given, onBack }: { email: string; onBack: () => void }) {
  const [email, setEmail] = useState(given);
  const asking = useMutation({ mutationFn: () => client.auth.forgotPassword({ email: email.trim() }) });
  return (
    <Gate title={t.signIn.forgotTitle} lead={t.signIn.forgotLead}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          asking.mutate();
        }}
      >
        <TextField label={t.signIn.email} type="email" autoComplete="username" value={email} onChange={setEmail} isRequired autoFocus />
        {asking.isError && <ErrorNote error={asking.error} />}
        {asking.isSuccess && (
          <Note tone="good" icon="check">
            {asking.data.message}
          </Note>
        )}
        {!asking.isSuccess && (
          <Button type="submit" kind="primary" isPending={asking.isPending} isDisabled={email === ''}>
            {t.signIn.forgotSubmit}
          </Button>
        )}
        <Button kind="quiet" onPress={onBack}>
          {t.signIn.back}
        </Button>
      </form>
    </Gate>
  );
}

/** Two fields for a new password, and whether they are alike. */
export function useNewPassword() {
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const differ = again !== '' && fresh !== again;
  const fields = (
    <>
      <PasswordField label={t.password.fresh} autoComplete="new-password" value={fresh} onChange={setFresh} hint={t.password.rule} isRequired />
      <PasswordField
        label={t.password.again}
        autoComplete="new-password"
        value={again}
        onChange={setAgain}
        error={differ ? t.password.differ : undefined}
        isRequired
      />
    </>
  );
  return { fresh, fields, ready: fresh !== '' && fresh === again };
}

/** Who signed in with a temporary password sees this and nothing else. */
export function ForcedPassword() {
  const [current, setCurrent] = useState('');
  const { fresh, fields, ready } = useNewPassword();
  const changing = useMutation({
    mutationFn: async () => {
      await client.auth.changePassword({ currentPassword: current, newPassword: fresh });
      await reread();
    },
  });
  return (
    <Gate title={t.password.forcedTitle} lead={t.password.forcedLead}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          changing.mutate();
        }}
      >
        <PasswordField
          label={t.password.temporary}
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          isRequired
          autoFocus
        />
        {fields}
        {changing.isError && <ErrorNote error={changing.error} />}
        <Button type="submit" kind="primary" isPending={changing.isPending} isDisabled={!ready || current === ''}>
          {t.password.submit}
        </Button>
        <Button kind="quiet" onPress={() => void signOut()}>
          {t.account.signOut}
        </Button>
      </form>
    </Gate>
  );
}

/** What the link of an admin opens: /reset-password#token. After the #, so that no server's log has it. */
export function ResetPassword({ token, onDone }: { token: string; onDone: () => void }) {
  const { fresh, fields, ready } = useNewPassword();
  const setting = useMutation({ mutationFn: () => client.auth.resetPassword({ token, newPassword: fresh }) });
  return (
    <Gate title={t.password.resetTitle}>
      <form
        className="stack"
        onSubmit={(submit) => {
          submit.preventDefault();
          setting.mutate();
        }}
      >
        {!setting.isSuccess && fields}
        {setting.isError && <ErrorNote error={setting.error} />}
        {setting.isSuccess ? (
          <Note tone="good" icon="check">
            {t.password.resetDone}
          </Note>
        ) : (
          <Button type="submit" kind="primary" isPending={setting.isPending} isDisabled={!ready}>
            {t.password.submit}
          </Button>
        )}
        <Button kind={setting.isSuccess ? 'primary' : 'quiet'} onPress={onDone}>
          {t.signIn.back}
        </Button>
      </form>
    </Gate>
  );
}
