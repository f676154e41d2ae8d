import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

/** What an attacker can do on the connection to keep a command injection that works from being seen. */
suite('an injection that works is found', () => {
  let server: ChildProcess;
  let port = 0;
  let throughline: Throughline;

  before(async () => {
    requireKernel();
    // Before the server: of one that ran already, requests may be in flight that nobody has seen.
    throughline = await startThroughline(['run', '--json']);
    server = spawn('/usr/bin/python3', [join(import.meta.dirname, 'programs/evasion.py')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(server.stdout);
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    port = Number(line);
  });

  after(async () => {
    server.kill();
    await throughline.stop();
  });

  /** Sends the pieces with pauses between, then leaves: politely after a reply, or with a reset at once. */
  async function attack(pieces: readonly string[], end: 'reply' | 'reset', pauseMs = 100): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    for (const piece of pieces) {
      socket.write(piece, 'latin1');
      await sleep(pauseMs);
    }
    if (end === 'reply') await Promise.race([once(socket, 'close'), sleep(700)]);
    socket.resetAndDestroy();
  }

  const isFinding =
    (marker: string, verdict: string) =>
    (message: JsonMessage): boolean =>
      message.kind === 'finding' &&
      message['verdict'] === verdict &&
      JSON.stringify(message['effect']).includes(marker);

  const get = (target: string, headers = ''): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;

  test('sent politely', async () => {
    await attack([get('/ping?host=polite;id')], 'reply');
    await throughline.waitFor(isFinding('polite', 'EXPLOITED'), 3000);
  });

  test('with a reset at once', async () => {
    await attack([get('/ping?host=resets;id')], 'reset', 5);
    await throughline.waitFor(isFinding('resets', 'EXPLOITED'), 3000);
  });

  test('with a reset while the handler polls', async () => {
    await attack([get('/poll?host=polling;id')], 'reset', 120);
    await throughline.waitFor(isFinding('polling', 'EXPLOITED'), 3000);
  });

  test('after an interim reply, while the handler polls', async () => {
    await attack([get('/poll?host=interim;id', 'Expect: 100-continue\r\n')], 'reply');
    await throughline.waitFor(isFinding('interim', 'EXPLOITED'), 3000);
  });

  test('behind a head that is longer than what is captured: suspicious, since its end is not known', async () => {
    await attack([get(`/ping?pad=${'a'.repeat(9000)}&host=padded;id`)], 'reply');
    await throughline.waitFor(isFinding('padded', 'SUSPICIOUS'), 3000);
  });

  test('behind an uncaptured end of another request, it is on no wrong one', async () => {
    const body = 'b'.repeat(8300);
    const first = `POST /ping HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await attack([first + get('/ping?host=hidden;id')], 'reply');
    await sleep(1000);
    for (const message of throughline.messages)
      if (isFinding('hidden', 'EXPLOITED')(message))
        assert.match(JSON.stringify(message['request']), /host=hidden/);
  });
});
