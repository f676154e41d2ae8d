import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Attribution } from '../model/effect.ts';
import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import type { Process } from '../model/process.ts';
import type { Connection, RequestMessage } from '../model/request.ts';
import { LocalHops, type SentQuery } from './local-hops.ts';
import { RequestState } from './request-state.ts';

const PROXY = { pid: 10, comm: 'nginx' } as Process;
const APP = { pid: 20, comm: 'node' } as Process;
const LOOPBACK = '\x7f\x00\x00\x01';

function message(
  target: string,
  headers: RequestMessage['headers'] = [],
  protocol = 'http1',
): RequestMessage {
  return {
    protocol,
    head: '',
    method: 'GET',
    target,
    headers,
    body: new Uint8Array(0),
    isTruncated: false,
    anomalies: [],
    inputs: [],
  };
}

let requests = 0;
function request(sent: RequestMessage, process: Process, startedNs: number, port = 40_000): RequestState {
  const connection: Connection = {
    id: ++requests,
    family: 'ipv4',
    client: { address: '203.0.113.9', port },
    server: { address: '127.0.0.1', port: 80 },
  };
  return new RequestState('s', 1, 0, connection, sent, process, {
    tid: process.pid,
    unit: process.pid,
    timeNs: startedNs,
  });
}

const front = (port: number, headers: RequestMessage['headers'] = []): RequestState =>
  request(message('/front', headers), PROXY, 0, port);

function attributed(to: RequestState | readonly RequestState[]): Attribution {
  return to instanceof RequestState
    ? { grade: 'linked', reason: 'x', request: to, candidates: [to] }
    : { grade: 'ambiguous', reason: 'x', request: null, candidates: to };
}

/** Both ends of connections on one host. */
class Host {
  readonly hops = new LocalHops();
  #nowNs = 0;

  tcp(connection: number, isClient: boolean, fields: Partial<AcceptEvent> = {}): void {
    const client = { localPort: 50_000, remotePort: 3000 };
    const server = { localPort: 3000, remotePort: 50_000 };
    this.hops.opened({
      ...makeHeader(PROXY.pid, ++this.#nowNs),
      kind: 'accept',
      connection,
      family: 'ipv4',
      localAddress: LOOPBACK,
      remoteAddress: LOOPBACK,
      ...(isClient ? client : server),
      isAdopted: false,
      isClient,
      startSequence: 77,
      networkNamespace: 1,
      ...fields,
    });
  }

  unix(connection: number, isClient: boolean, inode: number, peerInode: number): void {
    const fields = { family: 'unix', localPort: 0, remotePort: 0, remoteAddress: '' } as const;
    this.tcp(connection, isClient, { ...fields, startSequence: 0, inode, peerInode });
  }

  #payload(connection: number, streamOffset: number, length: number): PayloadEvent {
    const event = {
      ...makeHeader(PROXY.pid, ++this.#nowNs),
      kind: 'payload',
      connection,
      sequence: 1,
    } as const;
    return { ...event, direction: 'out', streamOffset, length, bytes: new Uint8Array(0) };
  }

  /** The proxy sends a request of so many bytes on. */
  send(
    connection: number,
    target: string,
    attribution: Attribution,
    { at = 0, length = 100, stream = undefined as number | undefined } = {},
  ): SentQuery {
    const effect: SentQuery = {
      type: 'query',
      timeNs: ++this.#nowNs,
      pid: 10,
      tid: 10,
      process: PROXY,
      attribution,
      query: {
        protocol: 'http1',
        operation: 'GET',
        statement: target,
        parameters: [],
        database: '',
        user: '',
        isTruncated: false,
        anomalies: [],
      },
      remote: { address: '127.0.0.1', port: 3000 },
      outcome: null,
      endedNs: null,
      servedAs: null,
    };
    this.hops.sent(this.#payload(connection, at, length), effect, message(target), stream);
    return effect;
  }

  /** The application reads it. */
  read(
    connection: number,
    target: string,
    {
      at = 0,
      length = 100,
      stream = undefined as number | undefined,
      headers = [] as RequestMessage['headers'],
      protocol = 'http1',
    } = {},
  ): RequestState {
    const read = request(message(target, headers, protocol), APP, ++this.#nowNs);
    this.hops.received(this.#payload(connection, at, length), read, stream);
    return read;
  }
}

const UNKNOWN = { startSequence: 0, isAdopted: true };

describe('the two ends of a connection', () => {
  test('are one hop, whichever is told first', () => {
    for (const order of ['sent', 'read', 'read before the client is named'] as const) {
      const host = new Host();
      const cause = front(1);
      host.tcp(2, false);
      if (order !== 'read before the client is named') host.tcp(1, true);
      const early = order === 'sent' ? null : host.read(2, '/a');
      if (order === 'read before the client is named') host.tcp(1, true);
      const sent = host.send(1, '/a', attributed(cause));
      const read = early ?? host.read(2, '/a');
      assert.equal(read.hop?.front, cause, order);
      assert.equal(read.hop.proxy, PROXY);
      assert.equal(read.hop.grade, 'linked');
      assert.equal(sent.servedAs, read);
    }
  });

  test('of unix sockets are told by their inodes', () => {
    const host = new Host();
    host.unix(1, true, 501, 0);
    host.unix(2, false, 502, 501);
    host.unix(3, false, 504, 503);
    const cause = front(1);
    host.send(1, '/a', attributed(cause));
    assert.equal(host.read(3, '/a').hop, null, 'of another socket');
    assert.equal(host.read(2, '/a').hop?.front, cause);
  });

  test('with used-again ports are told by the numbers of the stream', () => {
    const host = new Host();
    host.tcp(1, true, { startSequence: 1 });
    host.tcp(2, true, { startSequence: 2, networkNamespace: 2 });
    host.tcp(3, false, { startSequence: 2, networkNamespace: 2 });
    host.tcp(4, false, { startSequence: 3 });
    const [one, two] = [front(1), front(2)];
    host.send(1, '/a', attributed(one));
    host.send(2, '/a', attributed(two));
    assert.equal(host.read(4, '/a').hop, null);
    assert.equal(host.read(3, '/a').hop?.front, two);
  });

  test('from before the agent need one namespace, both alive', () => {
    for (const [fields, isOpen, isFound] of [
      [{}, true, true],
      [{ networkNamespace: 2 }, true, false],
      [{ networkNamespace: 0 }, true, false],
      [{}, false, false],
    ] as const) {
      const host = new Host();
      host.tcp(1, true, { ...UNKNOWN, ...fields });
      const cause = front(1);
      host.send(1, '/a', attributed(cause));
      if (!isOpen) host.hops.closed(1);
      host.tcp(2, false, UNKNOWN);
      assert.equal(host.read(2, '/a').hop?.front === cause, isFound, JSON.stringify([fields, isOpen]));
    }
  });

  test('of which the client is gone already are found by the numbers', () => {
    const host = new Host();
    const cause = front(1);
    host.tcp(1, true);
    host.send(1, '/a', attributed(cause));
    host.hops.closed(1);
    host.tcp(2, false);
    assert.equal(host.read(2, '/a').hop?.front, cause);
  });

  test('to another host are no hop', () => {
    const host = new Host();
    host.tcp(1, true, { remoteAddress: '\x0a\x00\x00\x05' });
    host.tcp(2, false);
    host.send(1, '/a', attributed(front(1)));
    assert.equal(host.read(2, '/a').hop, null);
  });
});

describe('which request it is', () => {
  test('is told by the place in the stream, whatever was lost or looks alike', () => {
    const host = new Host();
    host.tcp(1, true);
    host.tcp(2, false);
    const [one, three] = [front(1), front(3)];
    host.send(1, '/a', attributed(one), { at: 0 });
    // The second one was lost at this end, the first one at the other.
    host.send(1, '/a', attributed(three), { at: 200 });
    assert.equal(host.read(2, '/a', { at: 100 }).hop, null);
    assert.equal(host.read(2, '/a', { at: 200 }).hop?.front, three);
  });

  test('and by the stream, where several share the connection', () => {
    const host = new Host();
    host.tcp(1, true);
    host.tcp(2, false);
    const causes = [front(1), front(2), front(3)];
    causes.forEach((cause, index) => host.send(1, '/a', attributed(cause), { at: index, stream: index }));
    for (const index of [2, 0, 1])
      assert.equal(host.read(2, '/a', { at: 0, stream: index }).hop?.front, causes[index]);
  });

  test('is another one where it says something else', () => {
    const host = new Host();
    host.tcp(1, true);
    host.tcp(2, false);
    host.send(1, '/a', attributed(front(1)));
    assert.equal(host.read(2, '/b').hop, null);
  });

  test('on sockets that may have been used before has to be under way at both ends', () => {
    const host = new Host();
    host.unix(1, true, 501, 0);
    host.unix(2, false, 502, 501);
    const over = host.send(1, '/a', attributed(front(1)));
    Object.assign(over, { endedNs: over.timeNs + 0.5 });
    assert.equal(host.read(2, '/a').hop, null);
  });

  test('nothing is kept for ever of what goes elsewhere', () => {
    const host = new Host();
    host.tcp(1, true);
    for (let count = 0; count < 5000; count++) host.send(1, '/a', attributed(front(1)), { at: count * 100 });
    host.tcp(2, false);
    assert.equal(host.read(2, '/a', { at: 0 }).hop, null, 'given up');
    assert.notEqual(host.read(2, '/a', { at: 4999 * 100 }).hop, null);
  });
});

describe('where attribution leaves it open', () => {
  function hopOf(
    candidates: readonly RequestState[],
    headers: RequestMessage['headers'],
    protocol = 'http1',
    attribution = attributed(candidates),
  ): RequestState['hop'] {
    const host = new Host();
    host.tcp(1, true);
    host.tcp(2, false);
    host.send(1, '/a', attribution);
    return host.read(2, '/a', { headers, protocol }).hop;
  }

  test('all are listed and none is named', () => {
    const candidates = [front(1), front(2)];
    const hop = hopOf(candidates, [['x-request-id', 'abcdefgh']]);
    assert.equal(hop?.front, null);
    assert.equal(hop.grade, 'ambiguous');
    assert.deepEqual(hop.candidates, candidates);
  });

  test('an identifier that exactly one of them has decides', () => {
    const named = front(2, [['x-request-id', 'abcdefgh']]);
    const hop = hopOf([front(1), named], [['x-request-id', 'abcdefgh']]);
    assert.equal(hop?.front, named);
    assert.equal(hop.grade, 'matched');
    const twice = [named, front(3, [['x-request-id', 'abcdefgh']])];
    assert.equal(hopOf(twice, [['x-request-id', 'abcdefgh']])?.front, null, 'somebody else wrote the same');
    const short = [front(1), front(2, [['x-request-id', '17']])];
    assert.equal(hopOf(short, [['x-request-id', '17']])?.front, null);
  });

  test('of traceparent the trace counts, not the span', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const named = front(2, [['traceparent', `00-${trace}-00f067aa0ba902b7-01`]]);
    const hop = hopOf([front(1), named], [['traceparent', `00-${trace}-53995c3f42cd8ad8-01`]]);
    assert.equal(hop?.front, named);
  });

  test('the client that a web server names decides, and nobody can write that into a header', () => {
    const candidates = [front(1111), front(2222)];
    const told: RequestMessage['headers'] = [
      ['remote_addr', '203.0.113.9'],
      ['remote_port', '2222'],
    ];
    const hop = hopOf(candidates, told, 'fastcgi');
    assert.equal(hop?.front, candidates[1]);
    assert.equal(hop?.grade, 'matched');
    assert.equal(hopOf(candidates, told)?.front ?? null, null, 'a header of HTTP says nothing');
  });

  test('thread and variables that disagree are both not believed', () => {
    const cause = front(1111);
    const told: RequestMessage['headers'] = [
      ['remote_addr', '203.0.113.9'],
      ['remote_port', '2222'],
    ];
    const hop = hopOf([], told, 'fastcgi', attributed(cause));
    assert.equal(hop?.front, null);
    assert.equal(hop?.grade, 'ambiguous');
  });

  test('a proxy that asks by itself does it for nobody', () => {
    const hop = hopOf([], [], 'http1', { grade: 'none', reason: '', request: null, candidates: [] });
    assert.equal(hop?.grade, 'none');
    assert.equal(hop?.front, null);
  });
});
