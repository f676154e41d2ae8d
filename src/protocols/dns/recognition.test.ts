import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { loadFixtures } from '../testing.ts';
import { join } from 'node:path';
import { dns, dnsTcp } from './index.ts';
import { FIRST_NAME, frame, message, name, REPLY, uint16, type MessageFields } from './testing/messages.ts';

const NOTHING = new Uint8Array(0);
const question: MessageFields = { questions: [[name('www.example.com'), 1]] };

const datagram = (bytes: Uint8Array) =>
  dns.recognise({ fromClient: bytes, fromServer: NOTHING, isBeginning: true });
const replyDatagram = (bytes: Uint8Array) =>
  dns.recognise({ fromClient: NOTHING, fromServer: bytes, isBeginning: false });
const stream = (bytes: Uint8Array, isBeginning = true) =>
  dnsTcp.recognise({ fromClient: bytes, fromServer: NOTHING, isBeginning });
const replyStream = (bytes: Uint8Array, isBeginning: boolean) =>
  dnsTcp.recognise({ fromClient: NOTHING, fromServer: bytes, isBeginning });

/** First bytes of other protocols, which datagrams and streams carry too. */
const OTHERS: Readonly<Record<string, Uint8Array>> = {
  'http/1': bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'),
  tls: bytesOf('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'r'.repeat(32)),
  'quic initial': bytesOf('\xc3\x00\x00\x00\x01\x08' + '\x83\x94\xc8\xf0\x3e\x51\x57\x08'.repeat(20)),
  ntp: bytesOf('\x23\x00\x06\x20' + '\0'.repeat(44)),
  stun: bytesOf('\x00\x01\x00\x08\x21\x12\xa4\x42' + 'x'.repeat(12) + '\x00\x03\x00\x04\x00\x00\x00\x00'),
  dhcp: bytesOf('\x01\x01\x06\x00\x39\x03\xf3\x26' + '\0'.repeat(228) + '\x63\x82\x53\x63\x35\x01\x01\xff'),
  syslog: bytesOf('<34>Oct 11 22:14:15 host su: failed for root'),
  statsd: bytesOf('page.views:1|c'),
  'memcached udp': bytesOf('\x00\x01\x00\x00\x00\x01\x00\x00get a\r\n'),
  snmp: bytesOf('\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x0e'),
  rtp: bytesOf('\x80\x00\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78' + '\xd5'.repeat(160)),
  postgresql: bytesOf('\x00\x00\x00\x08\x04\xd2\x16\x2f'),
  mongodb: bytesOf('\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00' + '\0'.repeat(42)),
  cassandra: bytesOf('\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0'),
  kafka: bytesOf('\x00\x00\x00\x23\x00\x12\x00\x00\x00\x00\x00\x01\x00\x04test'),
  'netbios status': message({ flags: 0x10, questions: [[name('CK' + 'A'.repeat(30)), 33]] }),
  'netbios name': message({ flags: 0x110, questions: [[name('EIEJFEEMEPEBFEBFCACACACACACACAAA'), 32]] }),
  zeros: new Uint8Array(64),
  ones: new Uint8Array(64).fill(255),
};

describe('DNS recognition', () => {
  it('is likely for questions that are right in everything', () => {
    assert.equal(datagram(message(question)), 'likely');
    assert.equal(stream(frame(message(question))), 'likely');
    assert.equal(stream(frame(message(question)), false), 'likely');
    const opt = { name: name(''), type: 41, class: 1232, data: NOTHING };
    assert.equal(datagram(message({ ...question, additionals: [opt] })), 'likely');
    const two = Buffer.concat([frame(message(question)), frame(message({ ...question, id: 8 }))]);
    assert.equal(stream(two), 'likely');
  });

  it('knows mDNS and LLMNR', () => {
    const pointers = [
      [name('_http._tcp.local'), 12, 0x8001],
      [name('_ipp._tcp.local'), 12],
    ] as const;
    const known = { name: name('_http._tcp.local'), type: 12, data: name('web.local') };
    assert.equal(datagram(message({ id: 0, flags: 0, questions: pointers, answers: [known] })), 'likely');
    const announcement = message({ id: 0, flags: 0x8400, answers: [known] });
    assert.equal(datagram(announcement), 'likely');
    assert.equal(replyDatagram(announcement), 'likely');
    assert.equal(datagram(message({ id: 9, flags: 0, questions: [[name('printer'), 1]] })), 'likely');
  });

  it('refuses what one field of shows that it is something else', () => {
    const header = (at: number, value: number) => {
      const bytes = Uint8Array.from(message(question));
      bytes[at] = value;
      return bytes;
    };
    const wrong: Record<string, Uint8Array> = {
      'a reply': header(2, 0x81),
      'opcode 15': header(2, 0x79),
      authoritative: header(2, 0x05),
      'reserved flag': header(3, 0x40),
      'recursion available': header(3, 0x80),
      'a response code': header(3, 3),
      'no question': header(5, 0),
      'two questions': header(5, 2),
      'an answer': header(7, 1),
      'unknown type': message({ questions: [[name('a.test'), 40_000]] }),
      'unknown class': message({ questions: [[name('a.test'), 1, 9]] }),
      'trailing bytes': Buffer.concat([message(question), Buffer.of(0)]),
      'cut datagram': message(question).subarray(0, -1),
      'a loop': message({ questions: [[FIRST_NAME, 1]] }),
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      assert.equal(datagram(bytes), 'no', what);
      if (what !== 'cut datagram') assert.equal(stream(frame(bytes)), 'no', what);
    }
  });

  it('says no to others', () => {
    for (const [what, bytes] of Object.entries(OTHERS)) {
      assert.equal(datagram(bytes), 'no', what);
      assert.equal(replyDatagram(bytes), 'no', `${what}, reply`);
      assert.equal(stream(bytes), 'no', `${what}, stream`);
      assert.notEqual(replyStream(bytes, false), 'likely', `${what}, reply in a stream`);
    }
  });

  it('waits for the rest of a stream, and takes a question whose options are not there', () => {
    const bytes = frame(message({ ...question, additionals: [{ type: 41, data: new Uint8Array(400) }] }));
    const answers = Array.from({ length: bytes.length + 1 }, (_, end) => stream(bytes.subarray(0, end)));
    const firstLikely = answers.indexOf('likely');
    assert.equal(firstLikely, frame(message(question)).length);
    assert.ok(answers.slice(0, firstLikely).every((answer) => answer === 'maybe'));
    assert.ok(answers.slice(firstLikely).every((answer) => answer === 'likely'));
  });

  it('takes a reply first only in the middle of a connection', () => {
    const answers = [{ type: 1, data: Uint8Array.of(192, 0, 2, 1) }];
    const reply = message({ ...question, flags: REPLY, answers });
    assert.equal(replyDatagram(reply), 'likely');
    assert.equal(replyStream(frame(reply), false), 'likely');
    assert.equal(replyStream(frame(reply), true), 'no');
    const both = (fromServer: Uint8Array) =>
      dnsTcp.recognise({ fromClient: frame(message(question)), fromServer, isBeginning: true });
    assert.equal(both(frame(reply)), 'likely');
    assert.equal(both(bytesOf('HTTP/1.1 400 Bad Request\r\n')), 'no');
  });

  it('takes the beginning of a long reply, where enough of it is right', () => {
    const answers = Array.from({ length: 90 }, (_, last) => ({
      type: 1,
      data: Uint8Array.of(192, 0, 2, last),
    }));
    const reply = message({ ...question, flags: REPLY, answers });
    assert.equal(replyDatagram(reply.subarray(0, 1024)), 'likely');
    assert.equal(replyDatagram(reply.subarray(0, 400)), 'no');
    const garbage = Buffer.concat([uint16(7, REPLY, 1, 3, 0, 0), Buffer.alloc(900, 0x41)]);
    assert.equal(replyDatagram(garbage), 'no');
  });

  it('knows each datagram of the captures', () => {
    for (const fixture of loadFixtures(join(import.meta.dirname, 'fixtures/dns'))) {
      for (const [direction, text] of fixture.pieces) {
        const bytes = Buffer.from(text, 'base64');
        const answer = direction === '>' ? datagram(bytes) : replyDatagram(bytes);
        // Types without a name, messages without a question, unknown versions: strict on purpose.
        const isOdd = fixture.name === 'dig-odd' || bytes.includes(Buffer.of(0xff, 0, 0, 1));
        assert.ok(answer === 'likely' || isOdd, `${fixture.name}: ${text}`);
      }
    }
  });
});
