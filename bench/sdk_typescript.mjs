// Started by bench/sdk_typescript.py: calls in turns by bare fetch and by the library; prints microseconds per call, one line of JSON.
// Arguments: address of the server, rounds, calls a round.
import { createClient } from '../sdk/typescript/dist/esm/index.js';

const [baseUrl, rounds, calls] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const novavms = createClient({ apiKey: 'sk_test_bench', baseUrl });
const headers = { authorization: 'Bearer sk_test_bench', accept: 'application/json' };

const bare = (path) => async () => {
  const response = await fetch(`${baseUrl}/api/v1${path}`, { headers });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
};
const TURNS = {
  'get bare': bare('/cameras/c1'),
  'get ours': () => novavms.cameras.get('c1'),
  'list bare': bare('/cameras?limit=20'),
  'list ours': () => novavms.cameras.list({ limit: 20 }),
};

const found = Object.fromEntries(Object.keys(TURNS).map((name) => [name, []]));
for (let round = -50; round < rounds; round += 1) {
  for (const [name, call] of Object.entries(TURNS)) {
    const began = performance.now();
    for (let turn = 0; turn < calls; turn += 1) await call();
    if (round >= 0) found[name].push(((performance.now() - began) * 1000) / calls); // the first rounds warm up
  }
}
console.log(JSON.stringify(found));
