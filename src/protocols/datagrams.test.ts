import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { byteString, bytesOf } from '../base/bytes.ts';
import type { AcceptEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import type { Confidence, Protocol, ProtocolConnection } from './contract.ts';
import { Datagrams } from './datagrams.ts';

const HEADER = makeHeader(2);

const OPENED: AcceptEvent = {
  ...HEADER,
  kind: 'accept',
  connection: 1,
  family: 'ipv4',
  localAddress: '',
  localPort: 1,
  remoteAddress: '',
  remotePort: 2,
  isAdopted: false,
  isClient: true,
  isDatagram: true,
};

/** Takes datagrams that begin with its name, and is finished after `end`. */
class Reader implements ProtocolConnection {
  isFinished = false;
  readonly #notes: string[];

  constructor(notes: string[]) {
    this.#notes = notes;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    const text = byteString(bytes);
    this.#notes.push(`> ${text} +${missing}`);
    this.isFinished = text === 'end';
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    this.#notes.push(`< ${byteString(bytes)} +${missing}`);
  }

  close(): void {
    this.#notes.push('close');
  }
}

class Bench {
  readonly notes: string[] = [];
  readonly datagrams: Datagrams;

  constructor(confidence: Confidence = 'likely') {
    const toy: Protocol = {
      name: 'toy',
      transport: 'datagram',
      recognise: ({ fromClient, fromServer }) =>
        byteString(fromClient).startsWith('toy') || byteString(fromServer).startsWith('toy')
          ? confidence
          : 'no',
      open: () => new Reader(this.notes),
    };
    const stream: Protocol = { ...toy, transport: 'stream', recognise: () => 'certain' };
    const ignore = (): void => undefined;
    this.datagrams = new Datagrams([stream, toy], {
      requestStarted: ignore,
      requestEnded: ignore,
      responseStarted: ignore,
      responseEnded: ignore,
      unreadInbound: ignore,
      queryStarted: ignore,
      queryEnded: ignore,
      described: ignore,
      unreadable: (connection) => this.notes.push(`${connection} unreadable`),
      forgotten: (connection) => this.notes.push(`${connection} forgotten`),
    });
  }

  payload(direction: 'in' | 'out', text: string, length = text.length, connection = 1): void {
    const bytes = bytesOf(text);
    const event = {
      ...HEADER,
      kind: 'payload',
      connection,
      sequence: 1,
      streamOffset: 0,
      direction,
      length,
    } as const;
    this.datagrams.payload({ ...event, bytes });
  }
}

describe('datagrams', () => {
  test('each is handed on by itself, and what was cut stays cut', () => {
    const bench = new Bench();
    bench.datagrams.open(OPENED);
    bench.payload('out', 'toy1');
    bench.payload('out', 'toy2', 100);
    bench.payload('in', 'answer', 1000);
    bench.payload('in', 'other');
    assert.deepEqual(bench.notes, ['> toy1 +0', '> toy2 +96', '< answer +994', '< other +0']);
  });

  test('what needs more bytes is not it: nothing follows', () => {
    const bench = new Bench('maybe');
    bench.datagrams.open(OPENED);
    bench.payload('out', 'toy1');
    bench.payload('out', 'toy2');
    assert.deepEqual(bench.notes, []);
  });

  test('strange ones are passed over, until there were too many', () => {
    const bench = new Bench();
    bench.datagrams.open(OPENED);
    for (let count = 0; count < 7; count++) bench.payload('out', 'strange');
    bench.payload('out', 'toy');
    bench.payload('out', 'strange');
    assert.deepEqual(bench.notes, ['> toy +0', '> strange +0']);
    bench.datagrams.open({ ...OPENED, connection: 2 });
    for (let count = 0; count < 9; count++) bench.payload('out', 'strange', 7, 2);
    bench.payload('out', 'toy', 3, 2);
    assert.deepEqual(bench.notes.slice(2), ['2 unreadable']);
  });

  test('a finished reader is the end of it', () => {
    const bench = new Bench();
    bench.datagrams.open(OPENED);
    bench.payload('out', 'toy');
    bench.payload('out', 'end');
    bench.payload('out', 'toy');
    assert.deepEqual(bench.notes, ['> toy +0', '> end +0', 'close', '1 unreadable']);
  });

  test('the socket that was silent longest makes room', () => {
    const bench = new Bench();
    for (let connection = 1; connection <= 1024; connection++)
      bench.datagrams.open({ ...OPENED, connection });
    bench.payload('out', 'toy');
    bench.datagrams.open({ ...OPENED, connection: 2000 });
    assert.deepEqual(bench.notes, ['> toy +0', '2 forgotten']);
    bench.payload('out', 'toy', 3, 2);
    bench.payload('out', 'toy');
    assert.deepEqual(bench.notes.slice(2), ['> toy +0']);
  });

  test('datagrams of sockets that are not known are nothing', () => {
    const bench = new Bench();
    bench.payload('out', 'toy');
    bench.datagrams.close(1);
    assert.deepEqual(bench.notes, []);
  });
});
