import assert from 'node:assert/strict';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Throughline } from './throughline.ts';
import { traceOf } from './truth.ts';

/** One request over TLS, whoever signed the certificate. @returns the reply's body */
export function exchange(url: string, body: string): Promise<string> {
  return new Promise((done, failed) => {
    const method = body === '' ? 'GET' : 'POST';
    request(url, { method, agent: false, rejectUnauthorized: false }, (response) => {
      let reply = '';
      response.setEncoding('latin1').on('data', (chunk: string) => (reply += chunk));
      response.on('end', () => done(reply));
    })
      .on('error', failed)
      .end(body);
  });
}

/** A library that nobody had until now is probed a moment after its process has begun to listen. */
export async function untilProbed(
  agent: Throughline,
  server: { readonly url: string; readonly port: number },
): Promise<void> {
  const first = agent.messages.length;
  const isTraced = (): boolean =>
    traceOf(agent.messages.slice(first)).requests.some(({ server: { port } }) => port === server.port);
  for (let attempt = 0; !isTraced(); attempt++) {
    assert.ok(attempt < 20, 'no request is traced');
    await exchange(`${server.url}/`, '');
    await sleep(200);
  }
}
