/** The examples of a document, as a program. */

/** What examples take for granted. */
const GIVEN = `
declare const id: string, siteId: string, gatewayId: string, accountId: string, userId: string, sessionId: string, keyId: string, eventId: string;
declare const shareId: string, baseUrl: string, secret: string, body: string, headers: Headers, request: Request;
declare function store(session: import('@novavms/sdk').LoginSession | null): void;
declare const novavms: import('@novavms/sdk').NovaVMS;
`;

/** The blocks marked as TypeScript. */
export function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text ?? '');
}

/** One module in which each block is a function of its own; imports come first. */
export function module(texts: readonly string[]): string {
  const imports = new Set<string>();
  const bodies = texts.map((text, place) => {
    const rest = text.replace(/^import .*\n/gm, (line) => {
      imports.add(line);
      return '';
    });
    return `export async function example${place}() {\n${rest}}\n`;
  });
  // The same name is imported by several blocks.
  const names = new Set([...imports].flatMap((line) => /\{(.*)\}/.exec(line)?.[1]?.split(',').map((name) => name.trim()) ?? []));
  return `import { ${[...names].join(', ')} } from '@novavms/sdk';\n${GIVEN}\n${bodies.join('\n')}`;
}
