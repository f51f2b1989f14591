/** What is shown: the sign-in, a password to be chosen, or the console. The address stays, so that a sign-in leads back to it. */
import type { QueryClient } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Button } from './design/controls';
import { ErrorNote } from './design/surfaces';
import { Toasts } from './design/toasts';
import { router } from './router';
import { resume, useSession } from './session/session';
import { ForcedPassword, ResetPassword, SignIn } from './session/sign-in';
import { t } from './text';

export function App({ queries }: { queries: QueryClient }) {
  return (
    <>
      <Shown queries={queries} />
      <Toasts />
    </>
  );
}

function Shown({ queries }: { queries: QueryClient }) {
  const session = useSession();
  const [resetToken, setResetToken] = useState(() => (location.pathname === '/reset-password' ? location.hash.slice(1) : ''));
  useEffect(() => {
    if (session.state === 'out') queries.clear(); // the next person must not see the last one's
  }, [session.state, queries]);
  if (resetToken !== '') {
    const done = () => {
      history.replaceState(null, '', '/');
      setResetToken('');
    };
    return <ResetPassword token={resetToken} onDone={done} />;
  }
  switch (session.state) {
    case 'starting':
      return (
        <div className="splash" role="status" aria-label={t.signIn.starting}>
          <img src="/icon.svg" alt="" width={56} height={56} />
        </div>
      );
    case 'unreachable':
      return (
        <main className="splash">
          <div className="stack">
            <ErrorNote error={session.error} />
            <Button onPress={() => void resume()}>{t.form.retry}</Button>
          </div>
        </main>
      );
    case 'out':
      return <SignIn ended={session.ended} />;
    default:
      return session.me.mustChangePassword ? <ForcedPassword /> : <RouterProvider router={router} context={{ queries }} />;
  }
}
