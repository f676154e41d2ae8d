import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import type { ProtocolConnection } from '../contract.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { ldap } from './index.ts';
import { MAX_OUTSTANDING } from './stream.ts';
import { MAX_STATEMENT_BYTES } from './text.ts';

testFixtures(ldap, join(import.meta.dirname, 'fixtures'));

function element(tag: number, ...parts: readonly (Buffer | string | number)[]): Buffer {
  const value = Buffer.concat(
    parts.map((part) =>
      Buffer.isBuffer(part) ? part : typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part),
    ),
  );
  const length = value.length < 128 ? [value.length] : [0x82, value.length >> 8, value.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const octets = (text: string): Buffer => element(4, text);
const packet = (id: number, operation: Buffer, controls: Buffer = Buffer.alloc(0)): Buffer =>
  element(0x30, element(2, id), operation, controls);
const result = (id: number, tag: number, code: number, words = ''): Buffer =>
  packet(id, element(tag, element(10, code), octets(''), octets(words)));
const bind = (id: number, name: string, password = 'hunter2'): Buffer =>
  packet(id, element(0x60, element(2, 3), octets(name), element(0x80, password)));
const search = (id: number, filter: Buffer, base = 'dc=x'): Buffer =>
  packet(
    id,
    element(
      0x63,
      octets(base),
      element(10, 2),
      element(10, 0),
      element(2, 0),
      element(2, 0),
      element(1, 0),
      filter,
      element(0x30),
    ),
  );
const equals = (name: string, value: string): Buffer => element(0xa3, octets(name), octets(value));
const entry = (id: number, text = 'y'): Buffer =>
  packet(id, element(0x64, octets('uid=x'), element(0x30, octets(text))));

class Talk {
  readonly recorder = new WireRecorder();
  readonly connection: ProtocolConnection = ldap.open(this.recorder);

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

describe('ldap: requests', () => {
  it('are answered in any order, by number', () => {
    const talk = new Talk().client(
      Buffer.concat([search(2, equals('a', 'b')), search(3, element(0x87, 'uid'))]),
    );
    talk
      .server(Buffer.concat([entry(3), entry(2), entry(3)]))
      .server(result(3, 0x65, 0))
      .server(result(2, 0x65, 4, 'enough'));
    assert.deepEqual(talk.lines, [
      '2 query SEARCH: dc=x??sub?(a=b); with ["b"]',
      '3 query SEARCH: dc=x??sub?(uid=*)',
      '3 outcome ok 2 rows',
      '2 outcome error sizeLimitExceeded "enough" 1 rows',
    ]);
  });

  it('that are abandoned get no answer', () => {
    const talk = new Talk()
      .client(search(2, equals('a', 'b')))
      .client(packet(3, element(0x50, 2)))
      .server(result(2, 0x65, 0));
    assert.deepEqual(talk.lines.slice(1), ['3 query ABANDON: 2']);
  });

  it('may have controls, and notices that nobody asked for are passed over', () => {
    const controls = element(0xa0, element(0x30, octets('1.2.3')));
    const talk = new Talk()
      .client(packet(2, element(0x4a, 'uid=x'), controls))
      .server(result(0, 0x78, 52, 'bye'));
    assert.deepEqual(talk.server(result(2, 0x6b, 50)).lines, [
      '2 query DELETE: uid=x',
      '2 outcome error insufficientAccessRights',
    ]);
  });

  it('after a failed bind are nobody’s', () => {
    const talk = new Talk()
      .client(bind(1, 'cn=a'))
      .server(result(1, 0x61, 0))
      .client(bind(2, 'cn=b'))
      .server(result(2, 0x61, 49));
    assert.equal(talk.client(packet(3, element(0x42))).lines.at(-1), '3 query UNBIND: ');
    assert.equal(talk.lines[2], '2 query BIND: simple cn=b; user cn=a');
  });

  it('keep what is structure and what is value apart', () => {
    const talk = new Talk().client(
      search(1, element(0xa0, equals('uid', 'x)(uid=*'), element(0xa2, equals('cn', '\\\0')))),
    );
    assert.equal(talk.recorder.queries[0]?.statement, 'dc=x??sub?(&(uid=x\\29\\28uid=\\2a)(!(cn=\\5c\\00)))');
  });
});

describe('ldap: secrets', () => {
  it('are not told', () => {
    const attribute = element(0x30, octets('userPassword;x-a'), element(0x31, octets('hunter2')));
    const sasl = element(0xa3, octets('PLAIN'), octets('\0bob\0hunter2'));
    const talk = new Talk().client(bind(1, 'cn=a')).client(search(2, equals('UserPassword', 'hunter2')));
    talk.client(packet(3, element(0x60, element(2, 3), octets(''), sasl)));
    talk.client(packet(4, element(0x68, octets('uid=x'), element(0x30, attribute))));
    talk.client(
      packet(5, element(0x66, octets('uid=x'), element(0x30, element(0x30, element(10, 2), attribute)))),
    );
    talk.client(
      packet(6, element(0x6e, octets('uid=x'), element(0x30, octets('unicodePwd'), octets('hunter2')))),
    );
    talk.client(packet(7, element(0x77, element(0x80, '1.3.6.1.4.1.4203.1.11.1'), element(0x81, 'hunter2'))));
    assert.equal(talk.lines.length, 7);
    assert.equal(
      talk.lines.some((line) => line.includes('hunter2')),
      false,
    );
    assert.equal(talk.lines[2], '3 query BIND: PLAIN');
  });
});

describe('ldap: StartTLS', () => {
  const ask = packet(1, element(0x77, element(0x80, '1.3.6.1.4.1.1466.20037')));

  it('hands over what came with the consent', () => {
    const talk = new Talk()
      .client(ask)
      .client(Buffer.from([22, 3, 1]))
      .client(Buffer.from([9]));
    talk.server(Buffer.concat([result(1, 0x78, 0), Buffer.from([22, 3, 3])]));
    assert.equal(talk.connection.isFinished, true);
    assert.deepEqual([...(talk.connection.handOver?.fromClient ?? [])], [22, 3, 1, 9]);
    assert.deepEqual([...(talk.connection.handOver?.fromServer ?? [])], [22, 3, 3]);
  });

  it('may be refused', () => {
    const talk = new Talk()
      .client(ask)
      .server(result(1, 0x78, 2, 'no'))
      .client(bind(2, 'cn=a'));
    assert.deepEqual(talk.lines.slice(1), [
      '1 outcome error protocolError "no"',
      '2 query BIND: simple cn=a',
    ]);
    assert.equal(talk.connection.isFinished, false);
  });
});

describe('ldap: bytes that were not captured', () => {
  it('inside an entry are skipped by its length', () => {
    const long = entry(2, 'z'.repeat(5000));
    const talk = new Talk()
      .client(search(2, equals('a', 'b')))
      .server(long.subarray(0, 1024), long.length - 1024);
    assert.equal(talk.server(result(2, 0x65, 0)).lines[1], '2 outcome ok 1 rows');
  });

  it('of several entries leave their number unknown', () => {
    const talk = new Talk().client(search(2, equals('a', 'b'))).server(entry(2).subarray(0, 9), 5000);
    assert.equal(talk.server(entry(2)).server(result(2, 0x65, 0)).lines[1], '2 outcome ok');
  });

  it('at the end of a request leave what came before', () => {
    const long = search(2, element(0xa0, equals('a', 'b'), equals('c', 'd'.repeat(500))));
    const talk = new Talk().client(long.subarray(0, 60), long.length - 60).client(bind(3, 'cn=a'));
    assert.match(talk.lines[0] ?? '', /^2 query SEARCH: dc=x\?\?sub\?\(&\(a=b\)\(c=d+.*truncated$/);
    assert.equal(talk.lines.length, 2);
  });
});

describe('ldap: limits', () => {
  it('of text, depth and requests without an answer', () => {
    let filter = equals('a', 'b');
    for (let depth = 0; depth < 200; depth++) filter = element(0xa2, filter);
    const talk = new Talk().client(search(1, filter)).client(search(2, equals('a', 'x'.repeat(60_000))));
    for (const query of talk.recorder.queries) {
      assert.equal(query.isTruncated, true);
      assert.ok(query.statement.length <= MAX_STATEMENT_BYTES);
    }
    for (let id = 1; id <= MAX_OUTSTANDING + 10; id++) talk.client(packet(id % 100, element(0x4a, 'uid=x')));
    assert.equal(talk.connection.isFinished, false);
  });

  it('other bytes', () => {
    for (const text of [
      'GET / HTTP/1.1\r\n',
      '\u0030\u0080',
      '\u0030\u0005\u0002\u0001\u0001\u0004\u0000',
      '\u0030\u0085\u0001\u0001\u0001\u0001\u0001',
    ])
      assert.equal(new Talk().client(Buffer.from(text, 'latin1')).connection.isFinished, true);
    const request = search(
      1,
      element(0xa0, equals('a', 'b'), element(0xa4, octets('c'), element(0x30, element(0x81, 'd')))),
    );
    const changes = fc.array(fc.tuple(fc.nat(request.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(changes, (changed) => {
        const damaged = Buffer.from(request);
        for (const [at, byte] of changed) damaged[at] = byte;
        new Talk().client(damaged).server(damaged).connection.close();
      }),
      { numRuns: 500 },
    );
  });
});

describe('ldap: recognition', () => {
  const ask = (client: Buffer, server: Uint8Array = Buffer.alloc(0), isBeginning = true): string =>
    ldap.recognise({ fromClient: client, fromServer: server, isBeginning });

  it('of requests, and of answers in the middle of a connection', () => {
    assert.equal(ask(bind(1, 'cn=a')), 'certain');
    assert.equal(ask(search(1, equals('a', 'b'))), 'likely');
    assert.equal(ask(packet(9, element(0x42)), Buffer.alloc(0), false), 'likely');
    assert.equal(ask(bind(1, 'cn=a').subarray(0, 6)), 'maybe');
    assert.equal(ask(Buffer.alloc(0), result(2, 0x65, 0), false), 'likely');
    assert.equal(ask(Buffer.alloc(0), result(2, 0x65, 0)), 'no');
  });

  it('not of others', () => {
    const snmp = element(0x30, element(2, 1), octets('public'), element(0xa0, element(2, 1)));
    const others = [
      snmp,
      result(1, 0x65, 0),
      bind(0, 'cn=a'),
      packet(1, element(0x60, element(2, 9), octets(''))),
    ];
    for (const bytes of others) assert.equal(ask(bytes), 'no');
    for (const text of [
      'GET / HTTP/1.1\r\n',
      '\u0016\u0003\u0001',
      '*1\r\n$4\r\n',
      '0123456789',
      'EHLO a\r\n',
    ])
      assert.equal(ask(Buffer.from(bytesOf(text))), 'no', text);
  });
});
