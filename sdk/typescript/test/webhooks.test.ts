import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { WebhookSignatureError, createClient, verifySignature } from '../dist/esm/index.js';

const SECRET = 'whsec_of-the-tests';
const BODY = '{"event_type": "camera_status", "data": {"name": "Küche"}}';
const SIGNATURE = createHmac('sha256', SECRET).update(BODY).digest('hex');
const now = () => String(Math.floor(Date.now() / 1000));

test('a right signature passes, in every form of body, headers and time', async () => {
  const timestamp = now();
  const headers = { 'x-webhook-signature': SIGNATURE, 'x-webhook-timestamp': timestamp };
  await verifySignature(BODY, { secret: SECRET, headers });
  await verifySignature(BODY, { secret: SECRET, headers: new Headers(headers) });
  await verifySignature(BODY, { secret: SECRET, headers: { 'X-Webhook-Signature': SIGNATURE, 'X-Webhook-Timestamp': new Date().toISOString() } });
  await verifySignature(Buffer.from(BODY), { secret: SECRET, signature: SIGNATURE.toUpperCase(), timestamp: Date.now() / 1000 });
  await verifySignature(new TextEncoder().encode(BODY).buffer as ArrayBuffer, { secret: SECRET, signature: SIGNATURE, timestamp });
  await createClient({ apiKey: 'sk_test_x' }).webhooks.verifySignature(BODY, { secret: SECRET, headers });
});

test('everything else is refused', async () => {
  const good = { secret: SECRET, signature: SIGNATURE, timestamp: now() };
  const refused = async (body: string, changes: object) =>
    assert.rejects(verifySignature(body, { ...good, ...changes }), WebhookSignatureError, JSON.stringify(changes));
  await refused(BODY.replace('Küche', 'Kuche'), {});
  await refused(BODY, { secret: 'whsec_other' });
  for (const signature of ['', 'zz', SIGNATURE.slice(2), `${SIGNATURE}00`, SIGNATURE.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))]) {
    await refused(BODY, { signature });
  }
  await refused(BODY, { signature: undefined });
  for (const timestamp of [undefined, 'yesterday', String(Number(now()) - 301), String(Number(now()) + 301)]) await refused(BODY, { timestamp });
  await refused(BODY, { timestamp: String(Number(now()) - 20), toleranceSec: 10 });
  await verifySignature(BODY, { ...good, timestamp: String(Number(now()) - 400), toleranceSec: 500 });
  await assert.rejects(verifySignature(BODY, { ...good, secret: '' }), TypeError);
});
