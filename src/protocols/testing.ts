/**
 * What the tests of all leaves share: captures of real servers, played whole and cut at every byte, and hostile variants
 * of them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { byteString } from '../base/bytes.ts';
import { printable } from '../base/printable.ts';
import type { ConnectionDescription, QueryMessage, QueryOutcome } from '../model/query.ts';
import type { RequestMessage } from '../model/request.ts';
import type { FirstBytes, MessageSink, Protocol } from './contract.ts';

/** One connection as a proxy recorded it (`node scripts/record-wire.ts`). */
export interface WireFixture {
  readonly name: string;
  /** Product and version of both ends, for people. */
  readonly server: string;
  readonly client: string;
  /** In order of time: '>' from the client, '<' from the server; bytes in base64. */
  readonly pieces: readonly (readonly ['>' | '<', string])[];
  /** What the leaf tells, as WireRecorder writes it. Written by UPDATE_GOLDENS=1, read by people. */
  readonly expected: readonly string[];
}

/** Writes down what a leaf tells, one line a call. */
export class WireRecorder implements MessageSink {
  readonly lines: string[] = [];
  readonly requests: RequestMessage[] = [];
  readonly queries: QueryMessage[] = [];
  readonly outcomes: QueryOutcome[] = [];

  requestStarted(message: RequestMessage, stream?: number): void {
    this.requests.push(message);
    this.#tell(stream, `request ${message.protocol} ${message.method} ${message.target}`);
  }

  requestEnded(stream?: number): void {
    const message = this.requests.at(-1);
    const body = message === undefined ? '' : byteString(message.body.subarray(0, 200));
    this.#tell(stream, `request ended, body ${JSON.stringify(body)}`);
  }

  unreadInbound(): void {
    this.lines.push('unread');
  }

  responseStarted(status: number, stream?: number): void {
    this.#tell(stream, `response ${status}`);
  }

  responseEnded(stream?: number): void {
    this.#tell(stream, 'response ended');
  }

  queryStarted(query: QueryMessage, stream?: number): void {
    this.queries.push(query);
    const { operation, statement, parameters, database, user, isTruncated, anomalies } = query;
    const rest = [
      ...(parameters.length > 0 ? [`with ${JSON.stringify(parameters)}`] : []),
      ...(database === '' ? [] : [`database ${database}`]),
      ...(user === '' ? [] : [`user ${user}`]),
      ...(isTruncated ? ['truncated'] : []),
      ...anomalies,
    ];
    this.#tell(stream, [`query ${operation}: ${statement}`, ...rest].join('; '));
  }

  queryEnded(outcome: QueryOutcome, stream?: number): void {
    this.outcomes.push(outcome);
    const { isError, code, message, rows, answers } = outcome;
    const rest = [
      isError ? 'error' : 'ok',
      ...(code === '' ? [] : [code]),
      ...(message === '' ? [] : [JSON.stringify(message)]),
      ...(rows === null ? [] : [`${rows} rows`]),
      ...answers,
    ];
    this.#tell(stream, `outcome ${rest.join(' ')}`);
  }

  described(description: ConnectionDescription): void {
    this.lines.push(`described ${JSON.stringify(description)}`);
  }

  #tell(stream: number | undefined, text: string): void {
    this.lines.push(printable(stream === undefined ? text : `${stream} ${text}`, 2000));
  }
}

/** @param directory of a leaf: `join(import.meta.dirname, 'fixtures')` */
export function loadFixtures(directory: string): WireFixture[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(directory, file), 'utf8')) as WireFixture),
      name: basename(file, '.json'),
    }));
}

/**
 * Plays a fixture through one reused buffer, with every piece of a stream cut at the given offsets of the whole; returns
 * what was told.
 */
export function play(protocol: Protocol, fixture: WireFixture, cuts: readonly number[] = []): string[] {
  const recorder = new WireRecorder();
  const connection = protocol.open(recorder);
  let base = 0;
  for (const [direction, text] of fixture.pieces) {
    const bytes = Buffer.from(text, 'base64');
    const ends = [
      ...cuts.map((cut) => cut - base).filter((cut) => cut > 0 && cut < bytes.length),
      bytes.length,
    ];
    let start = 0;
    for (const end of ends) {
      const part = Uint8Array.from(bytes.subarray(start, end));
      if (direction === '>') connection.fromClient(part, 0);
      else connection.fromServer(part, 0);
      part.fill(0x58);
      start = end;
    }
    base += bytes.length;
  }
  connection.close();
  connection.close();
  return recorder.lines;
}

/** Beyond this size not every single cut is tried, but as many spread over the whole. */
const CUTS = 3000;

/**
 * Registers the tests that every leaf has to pass for its captures of real servers: recognised from its first bytes,
 * the messages that people have checked, the same ones however the stream is cut, silence about what is missing, no
 * exception and bounded memory for damaged bytes.
 */
export function testFixtures(protocol: Protocol, directory: string): void {
  const fixtures = loadFixtures(directory);
  assert.ok(fixtures.length > 0, `no fixtures in ${directory}`);
  describe(`${protocol.name}: captures of real servers`, () => {
    for (const fixture of fixtures) {
      it(`${fixture.name} (${fixture.client} to ${fixture.server})`, () => {
        const whole = play(protocol, fixture);
        if (process.env['UPDATE_GOLDENS'] === '1') update(directory, fixture, whole);
        else assert.deepEqual(whole, fixture.expected);
        if (protocol.transport === 'datagram') return;
        const total = sizeOf(fixture);
        const step = Math.max(1, Math.floor(total / CUTS));
        const every = Array.from({ length: Math.ceil(total / step) }, (_, index) => index * step);
        const bytewise = Array.from({ length: total }, (_, index) => index);
        assert.deepEqual(play(protocol, fixture, bytewise), whole, 'byte by byte');
        for (const cut of every) assert.deepEqual(play(protocol, fixture, [cut]), whole, `cut at ${cut}`);
      });
      it(`${fixture.name} is recognised`, () => {
        const answer = confidenceOf(protocol, fixture);
        assert.ok(answer === 'certain' || answer === 'likely', answer);
      });
    }
    it('damaged and cut bytes neither throw nor grow without bound', () => {
      fuzzFixtures(protocol, fixtures, 300, 1);
    });
  });
}

/** What the leaf says of the first pieces, asked the way that the streams ask. */
export function confidenceOf(protocol: Protocol, fixture: WireFixture): string {
  const first = nothingYet(true);
  let answer = 'maybe';
  for (const [direction, text] of fixture.pieces.slice(0, 8)) {
    const bytes = Buffer.from(text, 'base64');
    if (direction === '>') first.fromClient = Buffer.concat([first.fromClient, bytes]).subarray(0, 8192);
    else first.fromServer = Buffer.concat([first.fromServer, bytes]).subarray(0, 8192);
    answer = protocol.recognise(first);
    if (answer !== 'maybe') return answer;
  }
  return answer;
}

/**
 * Plays damaged fixtures: bytes changed, inserted, taken out, pieces swapped, repeated, told as not captured.
 * @returns how many messages were told; throws what a leaf throws, with the seed
 */
export function fuzzFixtures(
  protocol: Protocol,
  fixtures: readonly WireFixture[],
  rounds: number,
  seed: number,
): number {
  const random = generator(seed);
  let told = 0;
  for (let round = 0; round < rounds; round++) {
    const fixture = fixtures[random(fixtures.length)];
    if (fixture === undefined) return told;
    const recorder = new WireRecorder();
    try {
      const connection = protocol.open(recorder);
      const first = nothingYet(random(2) === 0);
      for (let index = 0; index < fixture.pieces.length; index++) {
        const [direction, text] = fixture.pieces[
          random(12) === 0 ? random(fixture.pieces.length) : index
        ] ?? ['>', ''];
        const bytes = damage(Uint8Array.from(Buffer.from(text, 'base64')), random);
        const missing = random(10) === 0 ? random(100_000) : 0;
        const isFromClient = (direction === '>') !== (random(40) === 0);
        if (index < 3) {
          if (isFromClient) first.fromClient = bytes;
          else first.fromServer = bytes;
          protocol.recognise(first);
        }
        if (isFromClient) connection.fromClient(bytes, missing);
        else connection.fromServer(bytes, missing);
        void connection.isFinished;
        void connection.handOver;
      }
      connection.close();
    } catch (error) {
      throw new Error(`${protocol.name}: seed ${seed}, round ${round}, ${fixture.name}`, { cause: error });
    }
    told += recorder.lines.length;
  }
  return told;
}

function nothingYet(isBeginning: boolean): { -readonly [Key in keyof FirstBytes]: FirstBytes[Key] } {
  return { fromClient: new Uint8Array(0), fromServer: new Uint8Array(0), isBeginning };
}

function damage(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let damaged = bytes;
  for (let count = random(4); count > 0 && damaged.length > 0; count--) {
    const at = random(damaged.length);
    switch (random(5)) {
      case 0:
        damaged[at] = random(256);
        break;
      case 1:
        damaged[at] = [0, 255, 127, 128, 1][random(5)] ?? 0;
        break;
      case 2:
        damaged = damaged.slice(0, at);
        break;
      case 3:
        damaged = damaged.slice(at);
        break;
      default:
        damaged = Uint8Array.from([...damaged.subarray(0, at), random(256), ...damaged.subarray(at)]);
    }
  }
  return damaged;
}

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function sizeOf(fixture: WireFixture): number {
  return fixture.pieces.reduce((sum, [, text]) => sum + Buffer.from(text, 'base64').length, 0);
}

function update(directory: string, fixture: WireFixture, expected: readonly string[]): void {
  const { name, ...rest } = fixture;
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({ ...rest, expected }, null, 1)}\n`);
}
