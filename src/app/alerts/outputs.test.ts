import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertMessage } from '../../cli/contract.ts';
import { AlertFile } from './alert-file.ts';
import { AlertPost, type PostLimits } from './alert-post.ts';
import { alertOutputs } from './outputs.ts';

const LIMITS: PostLimits = { maxWaiting: 3, timeoutMs: 300, pausesMs: [5, 5], endMs: 500 };
/** For listeners that answer: a busy machine may take them long. */
const PATIENT: PostLimits = { ...LIMITS, timeoutMs: 10_000, endMs: 20_000 };
const WAIT_MS = 10_000;
const ALERT: AlertMessage = {
  kind: 'alert',
  time: '2025-01-02T12:04:31.005000000Z',
  rule: 'r',
  priority: 'Notice',
  source: 'syscall',
  hostname: 'web1',
  output: 'o',
  tags: ['a'],
  output_fields: { 'proc.name': 'sh\u009b' },
};

/** A listener that answers with these status codes, the last one for ever; null: not at all. */
class Listener implements AsyncDisposable {
  readonly bodies: string[] = [];
  readonly types: (string | undefined)[] = [];
  readonly #server: Server;

  constructor(...answers: readonly (number | null)[]) {
    const left = [...answers];
    this.#server = createServer((request, response) => {
      const status = left.length > 1 ? left.shift() : left[0];
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        this.bodies.push(body);
        this.types.push(request.headers['content-type']);
        if (status === null || status === undefined) return;
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {});
        response.end('thanks');
      });
    });
  }

  async url(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/in?key=secret`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function until(isThere: () => boolean): Promise<void> {
  for (const end = performance.now() + WAIT_MS; !isThere(); await sleep(5))
    assert.ok(performance.now() < end, 'it never came');
}

async function post(listener: Listener, lines: readonly string[], limits = PATIENT) {
  const warnings: string[] = [];
  const output = new AlertPost(await listener.url(), (text) => warnings.push(text), limits);
  for (const line of lines) output.add(line);
  return { ...(await output.end()), warnings };
}

test('alerts are sent one by one, in order', async () => {
  await using listener = new Listener(200);
  const { delivered, dropped, warnings, name } = await post(listener, ['1', '2', '3']);
  assert.deepEqual([delivered, dropped, warnings], [3, 0, []]);
  assert.deepEqual(listener.bodies, ['1', '2', '3']);
  assert.equal(listener.types[0], 'application/json');
  assert.ok(!name.includes('secret'), name);
});

test('an alert that failed is sent again; what is refused for good is not', async () => {
  await using flaky = new Listener(503, 500, 200);
  const again = await post(flaky, ['1']);
  assert.deepEqual([again.delivered, again.dropped, flaky.bodies], [1, 0, ['1', '1', '1']]);
  assert.match(again.warnings.join(), /it answers 503/);
  await using down = new Listener(500);
  const failed = await post(down, ['1']);
  assert.deepEqual(
    [failed.delivered, failed.dropped, down.bodies.length, failed.warnings.length],
    [0, 1, 3, 1],
  );
  await using strict = new Listener(400);
  assert.equal((await post(strict, ['1'])).dropped, 1);
  assert.equal(strict.bodies.length, 1);
});

test('nobody listens, does not answer, or points elsewhere: counted, told once, and ended in time', async () => {
  const warnings: string[] = [];
  const nobody = new AlertPost('http://127.0.0.1:1024/', (text) => warnings.push(text), LIMITS);
  for (const line of ['1', '2', '3', '4', '5', '6']) nobody.add(line);
  const { delivered, dropped } = await nobody.end();
  assert.deepEqual([delivered, dropped, warnings.length], [0, 6, 1]);

  await using silent = new Listener(null);
  const begunAt = performance.now();
  assert.equal((await post(silent, ['1', '2', '3'], LIMITS)).dropped, 3);
  assert.ok(performance.now() - begunAt < 5000);

  await using elsewhere = new Listener(302);
  assert.equal((await post(elsewhere, ['1'])).delivered, 0);
  assert.ok(elsewhere.bodies.every((body) => body === '1'));
});

test('a file gets one line for each alert, in the shape of the reference engine, for its owner alone', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'throughline-alerts-')), 'alerts');
  const [output] = alertOutputs({ file: path, url: null }, assert.fail);
  assert.ok(output);
  output.add(ALERT);
  output.add({ ...ALERT, rule: 'second' });
  await until(() => existsSync(path) && readFileSync(path, 'utf8').split('\n').length === 3);
  // As log rotation does it.
  renameSync(path, `${path}.1`);
  output.reopen();
  output.add({ ...ALERT, rule: 'third' });
  assert.deepEqual(await output.end(), { name: path, delivered: 3, dropped: 0 });
  const lines = readFileSync(`${path}.1`, 'utf8').trimEnd().split('\n');
  assert.deepEqual({ kind: 'alert', ...JSON.parse(lines[0] ?? '') }, ALERT);
  assert.ok(!lines[0]?.includes('kind'));
  assert.ok(lines[0]?.includes(String.raw`\u009b`));
  assert.equal(lines.length, 2);
  assert.match(readFileSync(path, 'utf8'), /^\{[^\n]*"third"[^\n]*\}\n$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that cannot be written to is told once, and everything that it would have got is counted', async () => {
  const warnings: string[] = [];
  const file = new AlertFile('/proc/nowhere/alerts', (text) => warnings.push(text));
  file.add('1\n');
  await until(() => warnings.length === 1);
  file.add('2\n');
  assert.deepEqual(await file.end(), { name: '/proc/nowhere/alerts', delivered: 0, dropped: 2 });
  assert.equal(warnings.length, 1);
});

test('no outputs, no files', () => {
  assert.deepEqual(alertOutputs(undefined, assert.fail), []);
  assert.deepEqual(alertOutputs({ file: null, url: null }, assert.fail), []);
});
