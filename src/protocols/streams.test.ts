import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, byteString } from '../base/bytes.ts';
import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import type { MessageSink, Protocol, ProtocolConnection } from './contract.ts';
import { Streams } from './streams.ts';

const HEADER = makeHeader();

/** A protocol that begins with its name and a colon; everything that its reader is handed is noted. */
function protocol(name: string, notes: string[]): Protocol {
  return {
    name,
    transport: 'stream',
    recognise({ fromClient, fromServer }) {
      if (fromClient.length === 0 && fromServer.length > 0) return 'no';
      const text = byteString(fromClient);
      const magic = `${name}:`;
      if (text.length < magic.length) return magic.startsWith(text) ? 'maybe' : 'no';
      return text.startsWith(magic) ? 'certain' : 'no';
    },
    open: (sink) => new NotingConnection(name, notes, sink),
  };
}

class NotingConnection implements ProtocolConnection {
  isFinished = false;
  readonly #name: string;
  readonly #notes: string[];
  readonly #sink: MessageSink;

  constructor(name: string, notes: string[], sink: MessageSink) {
    this.#name = name;
    this.#notes = notes;
    this.#sink = sink;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    this.#note('in', bytes, missing);
    if (byteString(bytes).includes('!')) this.isFinished = true;
    if (byteString(bytes).includes('?')) this.#sink.requestEnded();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    this.#note('out', bytes, missing);
    this.#sink.responseStarted(200);
    this.#sink.responseEnded();
  }

  close(): void {
    this.#notes.push(`${this.#name} close`);
  }

  #note(direction: string, bytes: Uint8Array, missing: number): void {
    this.#notes.push(`${this.#name} ${direction} ${byteString(bytes)}${missing > 0 ? ` +${missing}` : ''}`);
  }
}

/** Streams with protocols `alpha` and `also`, what their readers were handed, and what was told. */
class Bench {
  readonly notes: string[] = [];
  readonly told: string[] = [];
  readonly streams: Streams;

  constructor(protocols?: readonly Protocol[]) {
    this.streams = new Streams(protocols ?? [protocol('alpha', this.notes), protocol('also', this.notes)], {
      requestStarted: (connection) => this.told.push(`${connection} request`),
      requestEnded: (connection) => this.told.push(`${connection} request ended`),
      responseStarted: (connection, status) => this.told.push(`${connection} ${status}`),
      responseEnded: (connection) => this.told.push(`${connection} response ended`),
      unreadInbound: () => 0,
      queryStarted: (connection, query) => this.told.push(`${connection} ${query.operation}`),
      queryEnded: (connection, { code }) => this.told.push(`${connection} outcome ${code}`),
      described: (connection, { serverName }) => this.told.push(`${connection} ${serverName}`),
      unreadable: (connection, isPlaintext) =>
        this.told.push(`${connection} ${isPlaintext ? 'plaintext ' : ''}unreadable`),
    });
  }

  accept(connection = 1, more: Partial<AcceptEvent> = {}): void {
    const event: AcceptEvent = {
      ...HEADER,
      kind: 'accept',
      connection,
      family: 'ipv4',
      localAddress: '',
      localPort: 1,
      remoteAddress: '',
      remotePort: 2,
      isAdopted: false,
      ...more,
    };
    this.streams.accept(event);
  }

  payload(
    direction: 'in' | 'out',
    streamOffset: number,
    text: string,
    length = text.length,
    connection = 1,
  ): void {
    const event: PayloadEvent = {
      ...HEADER,
      kind: 'payload',
      connection,
      sequence: 1,
      direction,
      streamOffset,
      length,
      bytes: bytesOf(text),
    };
    this.streams.payload(event);
    event.bytes.fill(0);
  }

  /** Bytes that a TLS library has passed on. */
  plaintext(direction: 'in' | 'out', streamOffset: number, text: string): void {
    const bytes = bytesOf(text);
    const { length } = bytes;
    this.streams.payload({
      ...HEADER,
      kind: 'payload',
      connection: 1,
      sequence: 2,
      direction,
      streamOffset,
      length,
      bytes,
      isPlaintext: true,
    });
  }
}

describe('recognition', () => {
  test('blank lines before the first one are passed over, however many', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, '\r\n'.repeat(300));
    bench.payload('in', 600, '\r\nalpha:x');
    assert.deepEqual(bench.notes, ['alpha in alpha:x']);
    assert.deepEqual(bench.told, []);
  });

  test('at once: the reader gets the bytes', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'alpha:x', 9);
    assert.deepEqual(bench.notes, ['alpha in alpha:x +2']);
    assert.deepEqual(bench.told, []);
  });

  test('bit by bit: what was undecided is kept and handed over in one piece', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'al');
    bench.payload('in', 2, 's');
    bench.payload('in', 3, 'o:y');
    bench.payload('in', 6, 'z');
    assert.deepEqual(bench.notes, ['also in also:y', 'also in z']);
  });

  test('nobody knows it: told once, and nothing more is looked at', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, '\x16\x03\x01');
    bench.payload('in', 3, 'alpha:x');
    bench.payload('out', 0, 'y');
    assert.deepEqual(bench.told, ['1 unreadable']);
    assert.deepEqual(bench.notes, []);
  });

  test('a client that was met in its middle is asked again at its next question', () => {
    const bench = new Bench();
    bench.accept(1, { isAdopted: true, isClient: true });
    bench.payload('out', 0, 'the end of something');
    bench.payload('out', 20, 'alpha:not here');
    bench.payload('in', 0, 'answer');
    bench.payload('out', 34, 'alpha:x');
    bench.payload('in', 6, 'y');
    assert.deepEqual(bench.notes, ['alpha in alpha:x', 'alpha out y']);
    assert.deepEqual(bench.told, ['1 200', '1 response ended']);
  });

  test('but not for ever, and not one that was seen from its beginning', () => {
    const bench = new Bench();
    bench.accept(1, { isClient: true });
    bench.payload('out', 0, 'zzz');
    assert.deepEqual(bench.told, ['1 unreadable']);
    bench.accept(2, { isAdopted: true, isClient: true });
    for (let turn = 0; turn < 8; turn++) {
      assert.equal(bench.told.length, 1);
      bench.payload('out', 3 * turn, 'zzz', 3, 2);
      bench.payload('in', 3 * turn, 'zzz', 3, 2);
    }
    assert.deepEqual(bench.told.slice(1), ['2 unreadable']);
    assert.deepEqual(bench.notes, []);
  });

  test('undecided bytes that are not all there decide nothing', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'al', 5);
    assert.deepEqual(bench.told, ['1 unreadable']);
  });

  test('a protocol that is never sure does not keep bytes without end', () => {
    const bench = new Bench([
      {
        name: 'unsure',
        transport: 'stream',
        recognise: () => 'maybe',
        open: () => assert.fail('it never said yes'),
      },
    ]);
    bench.accept();
    let pieces = 0;
    while (bench.told.length === 0 && pieces < 100) bench.payload('in', 50 * pieces++, '?'.repeat(50));
    assert.equal(pieces, 6);
    assert.deepEqual(bench.told, ['1 unreadable']);
  });

  test('a server that speaks first in no protocol that we read', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('out', 0, '220 mail');
    bench.payload('in', 0, 'alpha:x');
    assert.deepEqual(bench.told, ['1 unreadable']);
    assert.deepEqual(bench.notes, []);
  });

  test('a reply while the protocol is undecided as well', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'al');
    bench.payload('out', 0, 'what?');
    bench.payload('in', 2, 'pha:x');
    assert.deepEqual(bench.notes, ['alpha in alpha:x', 'alpha out what?']);
    assert.deepEqual(bench.told, ['1 200', '1 response ended']);
  });

  test('a protocol in which the server speaks first gets its greeting first', () => {
    const notes: string[] = [];
    const greeter: Protocol = {
      ...protocol('greeter', notes),
      recognise: ({ fromClient, fromServer }) =>
        byteString(fromServer) !== 'hello' ? 'no' : fromClient.length > 0 ? 'certain' : 'maybe',
    };
    const bench = new Bench([protocol('alpha', notes), greeter]);
    bench.accept();
    bench.payload('out', 0, 'hello');
    bench.payload('in', 0, 'me', 5);
    assert.deepEqual(notes, ['greeter out hello', 'greeter in me +3']);
  });

  test('the one that is certain wins over the one that is likely, and the likely one over none', () => {
    const notes: string[] = [];
    const likely: Protocol = { ...protocol('likely', notes), recognise: () => 'likely' };
    const bench = new Bench([likely, protocol('alpha', notes)]);
    bench.accept(1);
    bench.payload('in', 0, 'alpha:x', 7, 1);
    bench.accept(2);
    bench.payload('in', 0, 'beta', 4, 2);
    bench.accept(3);
    bench.payload('in', 0, 'al', 2, 3);
    bench.payload('in', 2, 'together', 8, 3);
    assert.deepEqual(notes, ['alpha in alpha:x', 'likely in beta', 'likely in altogether']);
  });

  test('what a reader hands over goes on in the other protocol, with the bytes that came with it', () => {
    const notes: string[] = [];
    const first: Protocol = {
      ...protocol('alpha', notes),
      open: (sink) =>
        Object.assign(new NotingConnection('alpha', notes, sink), {
          handOver: { protocol: 'also', fromClient: bytesOf('early'), fromServer: bytesOf('') },
        }),
    };
    const bench = new Bench([first, protocol('also', notes)]);
    bench.accept();
    bench.payload('in', 0, 'alpha:!');
    bench.payload('in', 7, 'late');
    assert.deepEqual(notes, ['alpha in alpha:!', 'alpha close', 'also in early', 'also in late']);
    assert.deepEqual(bench.told, []);
  });
});

describe('a stream', () => {
  test('bytes that never came are told as missing, in both directions', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'alpha:');
    bench.payload('in', 106, 'rest', 10);
    bench.payload('out', 0, 'ok');
    bench.payload('out', 52, 'more');
    assert.deepEqual(bench.notes, [
      'alpha in alpha:',
      'alpha in  +100',
      'alpha in rest +6',
      'alpha out ok',
      'alpha out  +50',
      'alpha out more',
    ]);
  });

  test('an event that was captured without bytes is missing bytes', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'alpha:');
    bench.payload('in', 6, '', 20);
    bench.payload('in', 26, 'z');
    assert.deepEqual(bench.notes.slice(1), ['alpha in  +20', 'alpha in z']);
  });

  test('what the reader tells carries the connection', () => {
    const bench = new Bench();
    bench.accept(1);
    bench.accept(2);
    bench.payload('in', 0, 'alpha:?', 7, 2);
    bench.payload('out', 0, 'ok', 2, 2);
    assert.deepEqual(bench.told, ['2 request ended', '2 200', '2 response ended']);
  });

  test('a reader that is finished is closed, and the connection given up', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'alpha:');
    bench.payload('in', 6, '!');
    bench.payload('in', 7, 'more');
    assert.deepEqual(bench.notes, ['alpha in alpha:', 'alpha in !', 'alpha close']);
    assert.deepEqual(bench.told, ['1 unreadable']);
  });

  test('closing the connection closes the reader once', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'alpha:');
    bench.streams.close(1);
    bench.streams.close(1);
    bench.payload('in', 6, 'late');
    assert.deepEqual(bench.notes, ['alpha in alpha:', 'alpha close']);
  });

  test('bytes on a connection that nobody accepted are nothing', () => {
    const bench = new Bench();
    bench.payload('in', 0, 'alpha:');
    bench.streams.close(9);
    assert.deepEqual([...bench.notes, ...bench.told], []);
  });
});

describe('plaintext of TLS', () => {
  test('begins the stream anew, whatever was made of the ciphertext; ciphertext that comes late is nothing', () => {
    for (const ciphertext of ['alpha:', 'nothing that we read', 'al']) {
      const bench = new Bench();
      bench.accept();
      bench.payload('in', 0, ciphertext);
      bench.notes.length = 0;
      bench.plaintext('in', 0, 'also:one');
      bench.payload('in', ciphertext.length, 'alpha:');
      bench.plaintext('out', 0, 'reply');
      bench.plaintext('in', 8, 'two');
      assert.deepEqual(
        bench.notes.filter((note) => note !== 'alpha close'),
        ['also in also:one', 'also out reply', 'also in two'],
      );
    }
  });

  test('that nobody reads is told apart from ciphertext that nobody reads', () => {
    const bench = new Bench();
    bench.accept();
    bench.payload('in', 0, 'nothing that we read');
    bench.plaintext('in', 0, 'nor this');
    bench.plaintext('in', 8, 'nor that');
    assert.deepEqual(bench.told, ['1 unreadable', '1 plaintext unreadable']);
  });
});

test('beyond the limit the oldest connection is closed', () => {
  const bench = new Bench();
  bench.accept(1);
  bench.payload('in', 0, 'alpha:');
  for (let connection = 2; connection <= 65_536; connection++) bench.accept(connection);
  assert.deepEqual(bench.notes, ['alpha in alpha:']);
  bench.accept(65_537);
  assert.deepEqual(bench.notes, ['alpha in alpha:', 'alpha close']);
  bench.payload('in', 6, 'x');
  assert.equal(bench.notes.length, 2);
});
