import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { tls } from './index.ts';
import { hello, record, records, serverName } from './testing/hello.ts';

const NOTHING = new Uint8Array(0);
const HELLO = record(hello({ extensions: [serverName('a.test')] }));

const client = (fromClient: Uint8Array, isBeginning = true) =>
  tls.recognise({ fromClient, fromServer: NOTHING, isBeginning });
const server = (fromServer: Uint8Array, isBeginning: boolean) =>
  tls.recognise({ fromClient: NOTHING, fromServer, isBeginning });

describe('TLS recognition', () => {
  it('is certain of a ClientHello from its eleventh byte', () => {
    for (let end = 0; end < HELLO.length; end++) {
      const answer = client(HELLO.subarray(0, end));
      assert.equal(answer, end < 11 ? 'maybe' : 'certain', `${end} bytes`);
    }
    assert.equal(client(HELLO, false), 'certain');
    for (const minor of [0, 1, 2, 3, 4])
      assert.equal(client(record(HELLO.subarray(5), 22, 0x0300 + minor)), 'certain');
  });

  it('takes a hello in many records', () => {
    assert.equal(client(records(HELLO.subarray(5), 1)), 'likely');
    assert.equal(client(records(HELLO.subarray(5), 5)), 'likely');
    assert.equal(client(records(HELLO.subarray(5), 40)), 'certain');
  });

  it('refuses what one field shows that it is something else', () => {
    const changed = (at: number, value: number) => {
      const bytes = Uint8Array.from(HELLO);
      bytes[at] = value;
      return bytes;
    };
    const wrong = [
      changed(0, 23),
      changed(1, 2),
      changed(2, 5),
      changed(3, 0x50),
      changed(5, 2),
      changed(6, 9),
      changed(8, 1),
      changed(9, 2),
      changed(10, 5),
    ];
    wrong.forEach((bytes, index) => assert.equal(client(bytes), 'no', `${index}`));
  });

  it('is likely in the middle, where records follow one another', () => {
    const data = Buffer.concat([
      record(new Uint8Array(40), 23, 0x0303),
      record(new Uint8Array(300), 23, 0x0303),
    ]);
    assert.equal(client(data, false), 'likely');
    assert.equal(client(data.subarray(0, 100), false), 'likely');
    assert.equal(client(data.subarray(0, 3), false), 'maybe');
    assert.equal(server(data, false), 'likely');
    assert.equal(tls.recognise({ fromClient: data, fromServer: data, isBeginning: false }), 'likely');
    const answer = bytesOf('HTTP/1.1 200 OK\r\n\r\n');
    assert.equal(tls.recognise({ fromClient: data, fromServer: answer, isBeginning: false }), 'no');
    const broken = Uint8Array.from(data);
    broken[45] = 99;
    assert.equal(client(broken, false), 'no');
  });

  it('says no to a beginning with anything but a hello', () => {
    assert.equal(client(record(new Uint8Array(40), 23, 0x0303)), 'no');
    assert.equal(client(record(Uint8Array.of(2, 40), 21, 0x0303)), 'no');
    assert.equal(server(record(new Uint8Array(40), 22, 0x0303), true), 'no');
  });

  it('says no to others', () => {
    const others: Readonly<Record<string, Uint8Array>> = {
      'http/1': bytesOf('GET / HTTP/1.1\r\n\r\n'),
      'http/2': bytesOf('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      ssh: bytesOf('SSH-2.0-OpenSSH_9.2\r\n'),
      'ssl 2 hello': bytesOf('\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10' + 'c'.repeat(37)),
      dtls: bytesOf('\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00\x04'),
      postgresql: bytesOf('\x00\x00\x00\x08\x04\xd2\x16\x2f'),
      redis: bytesOf('*1\r\n$4\r\nPING\r\n'),
      mqtt: bytesOf('\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0aclient-id1'),
      ldap: bytesOf('\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00'),
      zeros: new Uint8Array(64),
    };
    for (const [what, bytes] of Object.entries(others)) {
      for (const isBeginning of [true, false]) {
        assert.equal(client(bytes, isBeginning), 'no', what);
        assert.equal(server(bytes, isBeginning), 'no', `${what}, server`);
      }
    }
  });
});
