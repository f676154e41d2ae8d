import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ProtocolConnection } from '../contract.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { MAX_STATEMENT_BYTES } from './commands.ts';
import { mongodb } from './index.ts';

testFixtures(mongodb, join(import.meta.dirname, 'fixtures'));

type Value =
  | string
  | number
  | boolean
  | null
  | Buffer
  | readonly Value[]
  | { readonly [name: string]: Value };

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

function element(name: string, value: Value): Buffer {
  const head = (type: number): Buffer => Buffer.concat([Buffer.from([type]), cstring(name)]);
  if (value === null) return head(10);
  if (typeof value === 'number') return Buffer.concat([head(16), int32(value)]);
  if (typeof value === 'boolean') return Buffer.concat([head(8), Buffer.from([value ? 1 : 0])]);
  if (typeof value === 'string')
    return Buffer.concat([head(2), int32(Buffer.byteLength(value) + 1), cstring(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(5), int32(value.length), Buffer.from([0]), value]);
  return Buffer.concat([head(Array.isArray(value) ? 4 : 3), bson(value as { [name: string]: Value })]);
}

function bson(document: { readonly [name: string]: Value }): Buffer {
  const elements = Buffer.concat(Object.entries(document).map(([name, value]) => element(name, value)));
  return Buffer.concat([int32(elements.length + 5), elements, Buffer.from([0])]);
}

function packet(operation: number, id: number, responseTo: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([...[body.length + 16, id, responseTo, operation].map(int32), body]);
}

const body = (document: { readonly [name: string]: Value }): Buffer =>
  Buffer.concat([Buffer.from([0]), bson(document)]);
const ask = (id: number, document: { readonly [name: string]: Value }, flags = 0): Buffer =>
  packet(2013, id, 0, int32(flags), body(document));
const tell = (id: number, document: { readonly [name: string]: Value }): Buffer =>
  packet(2013, 1000 + id, id, int32(0), body(document));

class Talk {
  readonly recorder = new WireRecorder();
  readonly connection: ProtocolConnection = mongodb.open(this.recorder);

  client(bytes: Buffer, missing = 0): this {
    this.connection.fromClient(bytes, missing);
    return this;
  }

  server(bytes: Buffer, missing = 0): this {
    this.connection.fromServer(bytes, missing);
    return this;
  }

  get lines(): readonly string[] {
    return this.recorder.lines;
  }
}

describe('mongodb: messages', () => {
  it('with sequences of documents, in either order, and a checksum', () => {
    const documents = Buffer.concat([bson({ a: 1 }), bson({ b: 'x' })]);
    const sequence = Buffer.concat([
      Buffer.from([1]),
      int32(documents.length + 14),
      cstring('documents'),
      documents,
    ]);
    const command = body({ insert: 'c', $db: 'd', lsid: { id: 'secret' } });
    const expected =
      'query insert: {"insert":"c","documents":[{"a":1},{"b":"x"}]}; with ["c","x"]; database d.c';
    const talk = new Talk().client(packet(2013, 1, 0, int32(0), command, sequence));
    talk.client(packet(2013, 2, 0, int32(1), sequence, command, Buffer.from('CRC!')));
    assert.deepEqual(talk.lines, [`1 ${expected}`, `2 ${expected}`]);
  });

  it('are answered in any order, by number', () => {
    const talk = new Talk().client(
      Buffer.concat([ask(7, { ping: 1, $db: 'd' }), ask(8, { count: 'c', $db: 'd' })]),
    );
    talk
      .server(tell(8, { n: 5, ok: 1 }))
      .server(tell(7, { ok: 1 }))
      .server(tell(7, { ok: 0 }));
    assert.deepEqual(talk.lines.slice(2), ['8 outcome ok 5 rows', '7 outcome ok']);
  });

  it('that want no answer', () => {
    const talk = new Talk().client(ask(1, { insert: 'c', $db: 'd' }, 2)).server(tell(1, { ok: 1 }));
    assert.equal(talk.lines.length, 1);
  });

  it('that are refused, whole or in part', () => {
    const refused = (reply: { [name: string]: Value }): string | undefined =>
      new Talk().client(ask(1, { x: 1, $db: 'd' })).server(tell(1, reply)).lines[1];
    assert.equal(
      refused({ ok: 0, errmsg: 'no', code: 13, codeName: 'Unauthorized' }),
      '1 outcome error Unauthorized "no"',
    );
    assert.equal(refused({ ok: 0, errmsg: 'no', code: 13 }), '1 outcome error 13 "no"');
    assert.equal(
      refused({ n: 1, writeErrors: [{ index: 0, code: 11000, errmsg: 'dup' }, { code: 5 }], ok: 1 }),
      '1 outcome error 11000 "dup" 1 rows',
    );
    assert.equal(
      refused({
        n: 1,
        writeConcernError: { code: 64, codeName: 'WriteConcernFailed', errmsg: 'late' },
        ok: 1,
      }),
      '1 outcome error WriteConcernFailed "late" 1 rows',
    );
  });

  it('of old drivers', () => {
    const find = Buffer.concat([int32(0), cstring('d.c'), int32(0), int32(10), bson({ a: "' or 1" })]);
    const old = new Talk().client(packet(2004, 1, 0, find));
    const empty = Buffer.alloc(16);
    old
      .server(packet(1, 9, 1, empty, int32(3)))
      .client(packet(2002, 2, 0, int32(0), cstring('d.c'), bson({ a: 1 })));
    old.client(packet(2006, 3, 0, int32(0), cstring('d.c'), int32(0), bson({ b: 2 })));
    old.client(packet(2001, 4, 0, int32(0), cstring('d.c'), int32(0), bson({ b: 2 }), bson({ c: 3 })));
    old.client(packet(2005, 5, 0, int32(0), cstring('d.c'), int32(0), Buffer.alloc(8)));
    const command = Buffer.concat([int32(0), cstring('d.$cmd'), int32(0), int32(-1)]);
    old.client(packet(2004, 6, 0, command, bson({ $query: { count: 'c' }, $readPreference: { mode: 'x' } })));
    assert.deepEqual(old.lines, [
      '1 query query: {"a":"\' or 1"}; with ["\' or 1"]; database d.c',
      '1 outcome ok 3 rows',
      '2 query insert: {"a":1}; database d.c',
      '3 query delete: {"b":2}; database d.c',
      '4 query update: {"b":2}{"c":3}; database d.c',
      '5 query getMore: ; database d.c',
      '6 query count: {"count":"c"}; with ["c"]; database d.c',
    ]);
  });

  it('that are compressed are skipped', () => {
    const inner = Buffer.concat([int32(2013), int32(500), Buffer.from([2]), Buffer.from('zzzz')]);
    const talk = new Talk().client(Buffer.concat([packet(2012, 1, 0, inner), ask(2, { ping: 1, $db: 'd' })]));
    talk.server(packet(2012, 9, 1, inner));
    assert.deepEqual(talk.lines, [
      '1 query compressed: ; truncated',
      '2 query ping: {"ping":1}; database d',
      '1 outcome ok',
    ]);
  });
});

describe('mongodb: secrets', () => {
  it('are left out, and the user is told', () => {
    const payload = Buffer.from('n,,n=bob=2Cx,r=nonce');
    const hello = { hello: 1, speculativeAuthenticate: { saslStart: 1, payload }, $db: 'admin' };
    const talk = new Talk().client(ask(1, hello)).server(tell(1, { ok: 1 }));
    talk
      .client(ask(2, { saslContinue: 1, payload: Buffer.from('p=proof'), $db: 'admin' }))
      .server(tell(2, { ok: 1 }));
    talk.client(ask(3, { updateUser: 'eve', pwd: 'hunter2', $db: 'd' }));
    talk
      .client(ask(4, { saslStart: 1, payload: Buffer.from('\0amy\0hunter2'), $db: 'd' }))
      .server(tell(4, { ok: 1 }));
    talk.client(ask(5, { ping: 1, $db: 'd' }));
    assert.equal(
      talk.lines.some((line) => line.includes('proof') || line.includes('hunter2') || line.includes('nonce')),
      false,
    );
    assert.equal(
      talk.lines[4],
      '3 query updateUser: {"updateUser":"eve"}; with ["eve"]; database d; user bob,x',
    );
    assert.equal(talk.lines.at(-1), '5 query ping: {"ping":1}; database d; user amy');
  });
});

describe('mongodb: bytes that were not captured', () => {
  const find = ask(1, { find: 'c', filter: { name: 'a'.repeat(50) }, $db: 'd' });
  const long = tell(1, {
    cursor: { firstBatch: Array.from({ length: 200 }, () => ({ a: 'x' })), ns: 'd.c' },
    ok: 1,
  });

  it('at the end of a reply leave it without its number of rows', () => {
    const talk = new Talk()
      .client(find)
      .server(long.subarray(0, 1024), long.length - 1024)
      .client(find)
      .server(long);
    assert.deepEqual([talk.lines[1], talk.lines[3]], ['1 outcome ok', '1 outcome ok 200 rows']);
  });

  it('at the end of a command leave what came before', () => {
    const talk = new Talk()
      .client(find.subarray(0, 70), find.length - 70)
      .server(tell(1, { ok: 1 }))
      .client(find);
    assert.match(
      talk.lines[0] ?? '',
      /^1 query find: \{"find":"c","filter":\{"name":"a+"; with .*; truncated$/,
    );
    assert.equal(talk.lines.length, 3);
    assert.equal(talk.recorder.queries[0]?.isTruncated, true);
  });

  it('of whole messages: the next piece that begins like one goes on', () => {
    const talk = new Talk()
      .client(find.subarray(0, 60), 1000)
      .client(find.subarray(30))
      .client(find)
      .server(long);
    assert.equal(talk.recorder.queries.length, 2);
    assert.equal(talk.recorder.queries[1]?.isTruncated, false);
    assert.equal(talk.recorder.outcomes.length, 1);
  });
});

describe('mongodb: limits', () => {
  it('keeps a bounded part of a command, and a bounded depth', () => {
    let nested: Value = 1;
    for (let depth = 0; depth < 300; depth++) nested = { a: nested };
    const talk = new Talk().client(ask(1, { find: 'c', filter: nested, $db: 'd' }));
    talk.client(ask(2, { find: 'c', filter: { a: 'x'.repeat(100_000) }, $db: 'd' }));
    assert.deepEqual(
      talk.recorder.queries.map(({ isTruncated }) => isTruncated),
      [true, true],
    );
    for (const { statement } of talk.recorder.queries) assert.ok(statement.length <= MAX_STATEMENT_BYTES);
  });

  it('any bytes', () => {
    const document = bson({ find: 'c', filter: { a: ['x', 1, null, true], b: Buffer.from('x') }, $db: 'd' });
    const reply = Buffer.from(
      bson({ cursor: { firstBatch: [{ a: 1 }] }, writeErrors: [{ code: 1 }], code: 5, ok: 0 }),
    );
    const changes = fc.array(fc.tuple(fc.nat(document.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(changes, changes, fc.nat(255), (changed, replied, kind) => {
        const damaged = Buffer.from(document);
        for (const [at, byte] of changed) damaged[at] = byte;
        const answer = Buffer.from(reply);
        for (const [at, byte] of replied) if (at < answer.length) answer[at] = byte;
        const talk = new Talk().client(packet(2013, 1, 0, int32(0), Buffer.from([kind % 3]), damaged));
        talk.server(packet(2013, 2, 1, int32(0), Buffer.from([0]), answer));
        talk.connection.close();
      }),
      { numRuns: 500 },
    );
  });
});

describe('mongodb: recognition', () => {
  const confidence = (client: Buffer, server: Uint8Array = Buffer.alloc(0), isBeginning = true): string =>
    mongodb.recognise({ fromClient: client, fromServer: server, isBeginning });
  const ping = ask(1, { ping: 1, $db: 'd' });

  it('of messages', () => {
    assert.equal(confidence(ping), 'certain');
    assert.equal(confidence(ping.subarray(0, 12)), 'maybe');
    assert.equal(confidence(Buffer.alloc(0), tell(1, { ok: 1 }), false), 'likely');
    assert.equal(confidence(Buffer.alloc(0), tell(1, { ok: 1 }), true), 'no');
  });

  it('not of others', () => {
    assert.equal(confidence(tell(1, { ok: 1 })), 'no');
    assert.equal(confidence(packet(2013, 1, 0, int32(0xff0), body({ ping: 1 }))), 'no');
    assert.equal(confidence(packet(2013, 1, 0, int32(0), Buffer.from([0, 5, 0, 0, 0, 0]))), 'no');
    assert.equal(confidence(packet(2004, 1, 0, int32(0), cstring('no dot'), Buffer.alloc(8))), 'no');
    for (const text of [
      'GET / HTTP/1.1\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001',
      '*1\r\n$4\r\nPING\r\n',
      'EHLO a\r\n',
    ])
      assert.equal(confidence(Buffer.from(text, 'latin1')), 'no', text);
  });
});
