import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadFixtures, WireRecorder } from '../testing.ts';
import { MAX_KEPT_BYTES, TlsConnection } from './stream.ts';
import {
  alpn,
  empty,
  firstRecord,
  hello,
  record,
  records,
  serverName,
  signatureAlgorithms,
  supportedVersions,
  uint16,
  type Extension,
} from './testing/hello.ts';

const EXTENSIONS: readonly Extension[] = [
  serverName('shop.test'),
  alpn('h2', 'http/1.1'),
  signatureAlgorithms(0x0403),
  supportedVersions(0x0304, 0x0303),
];
const HELLO = hello({ extensions: EXTENSIONS });
const WHOLE =
  'described {"protocol":"tls","serverName":"shop.test","applicationProtocols":["h2","http/1.1"],' +
  '"fingerprint":"t13d0104h2_0f2cb44170f4_3953dc75acc4","version":"TLS 1.3"}';

function open(): { connection: TlsConnection; recorder: WireRecorder } {
  const recorder = new WireRecorder();
  return { connection: new TlsConnection(recorder), recorder };
}

/** What is told of these pieces from the client. */
function told(...pieces: readonly (readonly [bytes: Uint8Array, missing?: number])[]): {
  lines: string[];
  isFinished: boolean;
} {
  const { connection, recorder } = open();
  for (const [bytes, missing = 0] of pieces) connection.fromClient(bytes, missing);
  return { lines: recorder.lines, isFinished: connection.isFinished };
}

function field(line: string | undefined, name: string): unknown {
  const description = JSON.parse((line ?? '{}').replace('described ', '')) as Record<string, unknown>;
  return description[name];
}

describe('TLS connections', () => {
  it('tell the hello once and are finished', () => {
    const { connection, recorder } = open();
    connection.fromClient(record(HELLO), 0);
    assert.equal(connection.isFinished, true);
    connection.fromServer(record(HELLO), 0);
    connection.fromClient(record(HELLO), 0);
    connection.close();
    assert.deepEqual(recorder.lines, [WHOLE]);
    assert.equal(connection.bufferedBytes, 0);
  });

  it('put hellos together that are spread over records', () => {
    for (const size of [1, 2, 3, 5, 50, 100]) {
      const bytes = records(HELLO, size);
      assert.deepEqual(told([bytes]).lines, [WHOLE], `records of ${size}`);
      assert.deepEqual(told(...Array.from(bytes, (byte) => [Uint8Array.of(byte)] as const)).lines, [WHOLE]);
    }
  });

  it('put hellos together that are longer than a segment: post-quantum key shares', () => {
    const isLong = ({ pieces }: { pieces: readonly (readonly [string, string])[] }) =>
      Buffer.from(pieces[0]?.[1] ?? '', 'base64').length > 1460;
    const fixtures = loadFixtures(join(import.meta.dirname, 'fixtures')).filter(isLong);
    assert.deepEqual(
      fixtures.map(({ name }) => name),
      ['chromium-nginx', 'node-nginx'],
    );
    for (const fixture of fixtures) {
      const first = firstRecord(fixture);
      const { lines } = told([first.subarray(0, 1460)], [first.subarray(1460)]);
      assert.deepEqual(lines, fixture.expected);
    }
  });

  it('read on behind other messages in the same record', () => {
    const early = Buffer.concat([record(HELLO), record(Uint8Array.of(1), 20), record(HELLO, 23)]);
    assert.deepEqual(told([early]).lines, [WHOLE]);
    assert.deepEqual(told([record(Buffer.concat([HELLO, HELLO]))]).lines, [WHOLE]);
  });

  it('tell what was captured of a hello, without a fingerprint', () => {
    const bytes = record(HELLO);
    const ends = Array.from({ length: bytes.length }, (_, end) => end);
    for (const end of ends) {
      const { lines, isFinished } = told([bytes.subarray(0, end), bytes.length - end]);
      assert.equal(isFinished, true, `${end}`);
      assert.ok(lines.length <= 1);
      if (lines.length === 1) assert.equal(field(lines[0], 'fingerprint'), '');
    }
    const [line] = told([bytes.subarray(0, -10), 10]).lines;
    assert.equal(field(line, 'serverName'), 'shop.test');
    assert.equal(field(line, 'version'), '');
  });

  it('tell what there is when the server answers or the connection ends', () => {
    for (const end of ['server', 'close'] as const) {
      const { connection, recorder } = open();
      connection.fromClient(record(HELLO).subarray(0, -5), 0);
      if (end === 'close') connection.close();
      else connection.fromServer(record(Uint8Array.of(2)), 0);
      assert.equal(connection.isFinished, true);
      assert.equal(field(recorder.lines[0], 'serverName'), 'shop.test');
    }
  });

  it('go on after STARTTLS, when the last words of the other protocol come late', () => {
    const { connection, recorder } = open();
    connection.fromServer(Buffer.from('220 go ahead\r\n'), 0);
    connection.fromServer(new Uint8Array(0), 0);
    connection.fromClient(record(HELLO), 0);
    assert.deepEqual(recorder.lines, [WHOLE]);
  });

  it('are finished, and tell nothing, in the middle of a connection', () => {
    const middle = { data: 23, alert: 21, cipher: 20 };
    for (const [what, type] of Object.entries(middle)) {
      assert.deepEqual(told([record(HELLO, type)]), { lines: [], isFinished: true }, what);
    }
    const { connection, recorder } = open();
    connection.fromServer(record(HELLO, 23), 0);
    assert.equal(connection.isFinished, true);
    connection.close();
    assert.deepEqual(recorder.lines, []);
  });

  it('tell nothing of what contradicts itself', () => {
    const damage = (at: number, ...values: readonly number[]) => {
      const bytes = Uint8Array.from(HELLO);
      bytes.set(values, at);
      return bytes;
    };
    const wrong: Record<string, Uint8Array> = {
      'another message': damage(0, 2),
      'an enormous message': damage(1, 0xff),
      'too long a session': damage(38, 255),
      'odd suites': damage(39, 0, 1),
      'too many suites': damage(39, 0xff, 0xfe),
      'too short extensions': damage(45, 0, 1),
      'too long extensions': damage(45, 9, 9),
      'an extension longer than all': damage(49, 0xff),
      'something behind the last extension': hello({ extensions: [...EXTENSIONS, empty(5)] }).subarray(0, -2),
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      const body = Buffer.from(bytes);
      if (what === 'something behind the last extension') body.writeUInt16BE(body.length - 4, 2);
      const { lines, isFinished } = told([record(body)], [record(new Uint8Array(100), 23)]);
      assert.deepEqual(lines, [], what);
      assert.equal(isFinished, true, what);
    }
  });

  it('take extensions with odd content for what they are', () => {
    const describe = (...extensions: Extension[]) => told([record(hello({ extensions }))]).lines[0];
    assert.equal(field(describe(empty(0)), 'serverName'), '');
    assert.equal(field(describe([0, Uint8Array.of(0, 5, 0, 0, 200, 65)]), 'serverName'), '');
    assert.equal(field(describe([0, Uint8Array.of(0, 5, 7, 0, 1, 65)]), 'serverName'), '');
    assert.deepEqual(field(describe([16, Uint8Array.of(0, 3, 9, 65)]), 'applicationProtocols'), []);
    assert.equal(field(describe([43, Uint8Array.of(2, 3)]), 'version'), 'TLS 1.2');
    assert.equal(field(describe(supportedVersions(0x7f1c)), 'version'), 'TLS 0x7f1c');
    const many = alpn(...Array.from({ length: 200 }, (_, index) => `p${index}`));
    assert.equal((field(describe(many), 'applicationProtocols') as string[]).length, 32);
    const old = told([record(hello({ version: 0x0300, extensions: null }), 22, 0x0300)]).lines[0];
    assert.equal(field(old, 'version'), 'SSL 3.0');
    assert.match(String(field(old, 'fingerprint')), /^ts3i010000_[0-9a-f]{12}_000000000000$/);
  });

  it('keep a bounded part of a long hello', () => {
    const long = hello({ extensions: [serverName('shop.test'), [21, new Uint8Array(40_000)]] });
    const { connection, recorder } = open();
    const bytes = records(long, 4096);
    for (let at = 0; at < bytes.length; at += 1000) {
      connection.fromClient(bytes.subarray(at, at + 1000), 0);
      assert.ok(connection.bufferedBytes <= MAX_KEPT_BYTES);
    }
    assert.equal(recorder.lines.length, 1);
    assert.equal(field(recorder.lines[0], 'serverName'), 'shop.test');
    assert.equal(field(recorder.lines[0], 'fingerprint'), '');
  });

  it('pass over empty records without end, and finish with them', () => {
    const bytes = Buffer.concat(
      Array.from({ length: 100 }, () => Buffer.concat([Buffer.of(22), uint16(0x0301, 0)])),
    );
    assert.deepEqual(told([bytes]), { lines: [], isFinished: true });
  });
});
