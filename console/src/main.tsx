import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { AuthenticationError } from '@novavms/sdk';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './design/tokens.css';
import './design/base.css';
import { end, resume } from './session/session';

/** A refused token that could not be renewed: the login is over. */
function onError(error: unknown): void {
  if (error instanceof AuthenticationError && error.code !== 'invalid_credentials') end(true);
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // the client tries again by itself, and knows better what may be tried again
    queries: { retry: false, staleTime: 30_000, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
});

void resume();

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App queries={queries} />
    </QueryClientProvider>
  </StrictMode>,
);
