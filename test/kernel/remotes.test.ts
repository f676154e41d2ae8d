/** Whom sockets without a connection talk to, sockets that see packets whole, and the ends of TCP connections. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { EventDecoder } from '../../src/abi/decode.ts';
import { MergedRings } from '../../src/kernel/ring.ts';
import type { KernelEvent } from '../../src/model/event.ts';
import { EventLog } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { loadHere } from '../support/sensors.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'programs', 'datagrams.py');
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-remotes-')));
after(() => rmSync(directory, { recursive: true, force: true }));

interface Facts {
  readonly pid: number;
  readonly ipv4: { readonly here: number; readonly there: number };
  readonly ipv6: { readonly here: number; readonly there: number };
  readonly tcp: { readonly client: number; readonly server: number };
  readonly refused: number;
}

suite('with everything asked for', () => {
  let log: EventLog;
  let facts: Facts;
  before(async () => {
    log = await EventLog.start(['exit', 'datagram', 'tcp']);
    const { stdout } = await log.run(PYTHON, [PROGRAM, directory]);
    facts = JSON.parse(stdout) as Facts;
  });
  after(async () => {
    await log[Symbol.asyncDispose]();
  });

  test('each remote is told once for a socket and direction, wherever it stands', () => {
    const { ipv4, ipv6 } = facts;
    assert.deepEqual(
      log
        .ofType(facts.pid, 'datagram')
        .map(({ direction, family, transport, localPort, address, port, readFrom, ring }) => [
          direction,
          family,
          transport,
          localPort,
          address,
          port,
          readFrom,
          ring,
        ]),
      [
        ['out', 'ipv4', 'datagram', ipv4.here, '127.0.0.1', ipv4.there, 'caller', false],
        ['in', 'ipv4', 'datagram', ipv4.there, '127.0.0.1', ipv4.here, 'caller', false],
        ['out', 'ipv4', 'datagram', ipv4.here, '127.0.0.1', 9, 'caller', false],
        ['out', 'ipv6', 'datagram', ipv6.here, '::1', ipv6.there, 'caller', false],
        ['in', 'ipv6', 'datagram', ipv6.there, '::1', ipv6.here, 'caller', false],
        ['out', 'ipv6', 'datagram', ipv6.here, '::1', 9, 'caller', false],
        ['out', 'unix', 'datagram', 0, join(directory, 'there'), 0, 'caller', false],
        ['in', 'unix', 'datagram', 0, join(directory, 'here'), 0, 'caller', false],
        ['out', 'ipv4', 'raw', 1, '127.0.0.1', 0, 'caller', false],
      ],
    );
  });

  test('a connection ends with what the kernel has counted at both ends', async () => {
    const { client, server } = facts.tcp;
    const ends = () =>
      (log.agent.messages as unknown as ReturnType<EventLog['of']>).filter(
        (event) => event.type === 'tcp' && [event.local.port, event.remote.port].includes(server),
      );
    await log.agent.waitFor(() => ends().length >= 2);
    const [one, other] = ['client', 'server'].map((role) =>
      ends().find((event) => event.type === 'tcp' && event.role === role),
    );
    assert.ok(one?.type === 'tcp' && other?.type === 'tcp');
    assert.deepEqual([one.local.port, one.remote], [client, { ip: '127.0.0.1', port: server }]);
    assert.deepEqual([other.local.port, other.remote], [server, { ip: '127.0.0.1', port: client }]);
    assert.deepEqual([one.pid, other.pid], [facts.pid, facts.pid]);
    assert.deepEqual([one.bytesSent, one.bytesReceived], [1000, 5001], 'the end of a stream counts as one');
    assert.deepEqual([other.bytesSent, other.bytesReceived], [5000, 1001]);
    assert.ok(one.bytesAcked >= 1000 && other.bytesAcked >= 5000);
    assert.deepEqual([one.retransmits, one.error, other.error], [0, null, null]);
    assert.ok((one.durationMs ?? 0) > 0 && one.segmentsOut > 0 && one.segmentsIn > 0);
  });

  test('so does one that comes to nothing', () => {
    const [end] = log
      .ofType(facts.pid, 'tcp')
      .filter(({ remote }) => remote.port === facts.refused)
      .map(({ lastState, error, role, durationMs }) => ({ lastState, error, role, durationMs }));
    assert.deepEqual(end, {
      lastState: 'SYN_SENT',
      error: 'ECONNREFUSED',
      role: 'client',
      durationMs: null,
    });
  });
});

test('of sockets that anybody makes, those that see packets whole are effects, and nothing else is told', async () => {
  using sensors = loadHere();
  const folder = mkdtempSync(join(directory, 'effects-'));
  const { stdout } = await promisify(execFile)(PYTHON, [PROGRAM, folder]);
  const { pid } = JSON.parse(stdout) as Facts;
  const decoder = new EventDecoder();
  const events: KernelEvent[] = [];
  new MergedRings(sensors.security, sensors.payload).drain(Infinity, (ring) => {
    const event = decoder.decode(ring.bytes, ring.view, ring.offset, ring.size);
    if (event !== null && event.pid === pid && event.kind !== 'payload') events.push(event);
  });
  assert.deepEqual(
    events.flatMap((event) =>
      event.kind === 'action' && event.action === 'socket' ? [event.arguments.slice(0, 2)] : [],
    ),
    [
      [2, 3],
      [17, 2],
    ].map(([family, type = 0]) => [family, type | 0o2000000]),
  );
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'datagram' || kind === 'tcp'),
    [],
  );
});
