/**
 * Data services that are met in the middle of a connection, as all connections of a pool are that was opened before the
 * agent came: each capture is played from each turn of the client on.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AcceptEvent } from '../model/event.ts';
import { makeHeader } from '../model/testing.ts';
import type { QueryMessage } from '../model/query.ts';
import type { Protocol } from './contract.ts';
import { Streams, type StreamSink } from './streams.ts';
import { loadFixtures, type WireFixture } from './testing.ts';

const SERVICES = ['postgresql', 'mysql', 'redis', 'mongodb', 'ldap'];
const HEADER = makeHeader();
const CLIENT: AcceptEvent = {
  ...HEADER,
  kind: 'accept',
  connection: 1,
  family: 'ipv4',
  localAddress: '',
  localPort: 1,
  remoteAddress: '',
  remotePort: 2,
  isAdopted: true,
  isClient: true,
};

const protocols: readonly Protocol[] = (
  await Promise.all(
    readdirSync(import.meta.dirname)
      .filter((name) => existsSync(join(import.meta.dirname, name, 'index.ts')))
      .map(async (name) => Object.values((await import(`./${name}/index.ts`)) as Record<string, unknown>)),
  )
)
  .flat()
  .filter(isProtocol);

function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && 'recognise' in value && 'transport' in value;
}

interface Told {
  readonly queries: readonly QueryMessage[];
  /** How many queries were told before each piece. */
  readonly before: readonly number[];
  readonly isUnreadable: boolean;
}

/** What is told of the pieces from this one on. */
function playFrom({ pieces }: WireFixture, first: number): Told {
  const queries: QueryMessage[] = [];
  const before: number[] = [];
  let isUnreadable = false;
  const ignored = (): void => undefined;
  const sink: StreamSink = {
    requestStarted: ignored,
    unreadInbound: ignored,
    requestEnded: ignored,
    responseStarted: ignored,
    responseEnded: ignored,
    queryStarted: (_, query) => queries.push(query),
    queryEnded: ignored,
    described: ignored,
    unreadable() {
      isUnreadable = true;
    },
  };
  const streams = new Streams(protocols, sink);
  streams.accept({ ...CLIENT, isAdopted: first > 0 });
  const offsets = { in: 0, out: 0 };
  for (const [index, [side, text]] of pieces.entries()) {
    before.push(queries.length);
    if (index < first) continue;
    const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
    const direction = side === '>' ? 'out' : 'in';
    const streamOffset = offsets[direction];
    offsets[direction] += bytes.length;
    const { length } = bytes;
    streams.payload({
      ...HEADER,
      kind: 'payload',
      connection: 1,
      sequence: 1,
      direction,
      streamOffset,
      length,
      bytes,
    });
  }
  return { queries, before, isUnreadable };
}

/** The same question: where its text was prepared before, its parameters are left, or nothing. */
function assertSame(actual: QueryMessage, expected: QueryMessage, where: string): void {
  assert.equal(actual.protocol, expected.protocol, where);
  if (actual.operation === expected.operation) {
    assert.equal(actual.statement, expected.statement, where);
    assert.deepEqual(actual.parameters, expected.parameters, where);
    return;
  }
  assert.ok(actual.isTruncated, where);
  assert.match(actual.statement, /^EXECUTE /, where);
  if (actual.parameters.length > 0) assert.deepEqual(actual.parameters, expected.parameters, where);
}

for (const service of SERVICES)
  describe(`${service}: met in the middle`, () => {
    for (const fixture of loadFixtures(join(import.meta.dirname, service, 'fixtures')))
      it(fixture.name, () => {
        const whole = playFrom(fixture, 0);
        for (const [index, [side]] of fixture.pieces.entries()) {
          if (index === 0 || side === '<' || fixture.pieces[index - 1]?.[0] === '>') continue;
          const where = `from piece ${index}`;
          const expected = whole.queries.slice(whole.before[index]);
          const told = playFrom(fixture, index);
          if (!whole.isUnreadable) assert.equal(told.isUnreadable, false, where);
          // What the first question is may be beyond telling (a comment, a bare name), but not those after it.
          const queries = told.queries.filter(({ operation }) => operation !== 'FETCH');
          const missed = expected.length - queries.length;
          assert.ok(missed === 0 || missed === 1, `${where}: ${missed} missed`);
          for (const [at, query] of queries.entries())
            assertSame(query, expected[at + missed] as QueryMessage, where);
        }
      });
  });
