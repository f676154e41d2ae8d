import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { byteString, bytesOf } from '../../base/bytes.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { websocket } from './index.ts';
import { MAX_MESSAGE_BYTES, WebSocketMessage } from './message.ts';
import { WebSocketConnection } from './stream.ts';

// The captures begin after the handshake, like connections that were open before.
testFixtures(
  { ...websocket, recognise: (first) => websocket.recognise({ ...first, isBeginning: false }) },
  join(import.meta.dirname, 'fixtures'),
);

const FINAL = 0x80;
const COMPRESSED = 0x40;
const MASK = [0x37, 0xfa, 0x21, 0x3d];

function lengthField(count: number, bit: number): string {
  if (count < 126) return String.fromCharCode(bit | count);
  if (count < 0x10000) return String.fromCharCode(bit | 126, count >> 8, count & 255);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(count));
  return String.fromCharCode(bit | 127) + byteString(bytes);
}

function fromServer(first: number, payload: string): string {
  return String.fromCharCode(first) + lengthField(payload.length, 0) + payload;
}

function fromClient(first: number, payload: string): string {
  const bytes = bytesOf(payload).map((byte, index) => byte ^ (MASK[index & 3] as number));
  return (
    String.fromCharCode(first) +
    lengthField(payload.length, 0x80) +
    String.fromCharCode(...MASK) +
    byteString(bytes)
  );
}

function talk(
  ...pieces: readonly (readonly [string, number?])[]
): WireRecorder & { readonly connection: WebSocketConnection } {
  const recorder = new WireRecorder();
  const connection = new WebSocketConnection(recorder);
  for (const [text, missing] of pieces) connection.fromClient(bytesOf(text), missing ?? 0);
  return Object.assign(recorder, { connection });
}

function bodies({ requests }: WireRecorder): string[] {
  return requests.map(({ body }) => byteString(body));
}

/** One message after the other in one compression context, as permessage-deflate sends them. */
async function compressed(...messages: readonly string[]): Promise<string[]> {
  const deflate = createDeflateRaw();
  const payloads: string[] = [];
  for (const message of messages) {
    const chunks: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
    deflate.write(bytesOf(message));
    await new Promise<void>((resolve) => {
      deflate.flush(constants.Z_SYNC_FLUSH, resolve);
    });
    deflate.removeAllListeners('data');
    payloads.push(byteString(Buffer.concat(chunks)).slice(0, -4));
  }
  return payloads;
}

describe('messages', () => {
  it('of the RFC (5.7)', () => {
    const recorder = talk(
      ['\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58'],
      ['\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58'],
      [fromClient(0x01, 'Hel') + fromClient(0x80, 'lo')],
      [fromClient(0x82, 'b'.repeat(256)) + fromClient(0x82, 'c'.repeat(65536))],
    );
    assert.deepEqual(bodies(recorder), ['Hello', 'Hello', 'b'.repeat(256), 'c'.repeat(MAX_MESSAGE_BYTES)]);
    assert.deepEqual(
      recorder.requests.map(({ method, isTruncated, anomalies }) => [method, isTruncated, anomalies]),
      [
        ['TEXT', false, []],
        ['TEXT', false, []],
        ['BINARY', false, []],
        ['BINARY', true, []],
      ],
    );
  });

  it('are told when they begin, and end with the last fragment', () => {
    const { connection, lines } = talk([fromClient(0x01, 'one ')]);
    assert.deepEqual(lines, ['request websocket TEXT ']);
    connection.fromClient(bytesOf(fromClient(0x89, 'ping') + fromClient(0x00, 'two')), 0);
    connection.fromServer();
    assert.equal(lines.length, 1);
    connection.fromClient(bytesOf(fromClient(0x80, '')), 0);
    assert.deepEqual(lines.slice(1), ['request ended, body "one two"']);
  });

  it('that servers have to refuse are told with what is odd about them', () => {
    const { requests, connection } = talk(
      [fromServer(0x81, 'plain')],
      [fromClient(0x91, 'reserved')],
      [fromClient(0x01, 'never finished')],
      [`\x81\xfe\0\x02\0\0\0\0hi`],
      [fromClient(0x83, 'of no opcode')],
    );
    assert.deepEqual(
      requests.map(({ body, anomalies, isTruncated }) => [byteString(body), anomalies, isTruncated]),
      [
        ['plain', ['unmasked'], false],
        ['reserved', ['reserved-bits'], false],
        ['never finished', [], true],
        ['hi', ['overlong-length'], false],
      ],
    );
    assert.equal(connection.isFinished, false);
    connection.fromClient(bytesOf('\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0'), 0);
    assert.equal(connection.isFinished, true);
  });

  it('are over with the close frame, or the connection', () => {
    const closed = talk([fromClient(0x81, 'a') + fromClient(0x88, '\x03\xe8bye') + fromClient(0x81, 'b')]);
    assert.equal(closed.connection.isFinished, true);
    assert.deepEqual(bodies(closed), ['a']);
    const gone = talk([fromClient(0x81, 'half of it').slice(0, -4)]);
    gone.connection.close();
    assert.deepEqual(gone.lines, ['request websocket TEXT ', 'request ended, body "half o"']);
    assert.equal(gone.requests[0]?.isTruncated, true);
  });
});

describe('compression', () => {
  const texts = [
    '{"type":"order","name":"first"}',
    '{"type":"order","name":"second"}',
    '{"type":"order","name":"third"}',
  ];

  it('refers to the messages before', async () => {
    const payloads = await compressed(...texts);
    assert.ok((payloads[1] ?? '').length < 20);
    assert.deepEqual(
      bodies(talk(...payloads.map((payload) => [fromClient(FINAL | COMPRESSED | 1, payload)] as const))),
      texts,
    );
  });

  it('runs over fragments, and not over messages that are not compressed', async () => {
    const payloads = await compressed(...texts);
    const [first = '', second = ''] = payloads;
    const recorder = talk(
      [
        fromClient(COMPRESSED | 1, first.slice(0, 5)) +
          fromClient(0x89, '') +
          fromClient(0x80, first.slice(5)),
      ],
      [fromClient(0x81, 'as it is') + fromClient(0xc2, second)],
    );
    assert.deepEqual(bodies(recorder), [texts[0], 'as it is', texts[1]]);
  });

  it('keeps 32 KiB of what came before, and no more', async () => {
    const many = Array.from({ length: 40 }, (_, index) => `${index} ${Math.sin(index)} `.repeat(90));
    const payloads = await compressed(...many);
    const recorder = talk(...payloads.map((payload) => [fromClient(0xc1, payload)] as const));
    assert.deepEqual(bodies(recorder), many);
    assert.ok(recorder.connection.bufferedBytes <= 32 * 1024);
  });

  it('that lost its context is not told as text, until nothing refers beyond what is known', async () => {
    const [first = '', second = ''] = await compressed(...texts);
    const alone = byteString(deflateRawSync(bytesOf('alone'), { finishFlush: constants.Z_SYNC_FLUSH })).slice(
      0,
      -4,
    );
    const whole = fromClient(0xc1, first);
    const recorder = talk(
      [whole.slice(0, 12), whole.length - 12],
      [fromClient(0xc1, second)],
      [fromClient(0xc1, alone)],
    );
    const [cut, lost, last] = recorder.requests;
    assert.ok(cut?.isTruncated && texts[0]?.startsWith(byteString(cut.body)));
    assert.deepEqual(lost?.anomalies, ['undecodable']);
    assert.equal(lost.body.length, 0);
    assert.equal(lost.isTruncated, true);
    assert.equal(byteString(last?.body ?? new Uint8Array(0)), 'alone');
    assert.deepEqual(last?.anomalies, []);
  });

  it('of a bomb shows its beginning', () => {
    const bomb = deflateRawSync(Buffer.concat([Buffer.from('; cat /etc/passwd'), Buffer.alloc(8 << 20)]));
    const recorder = talk([fromClient(0xc1, byteString(bomb))]);
    assert.equal(recorder.requests[0]?.isTruncated, true);
    assert.equal(recorder.requests[0].body.length, MAX_MESSAGE_BYTES);
    assert.ok(bodies(recorder)[0]?.startsWith('; cat /etc/passwd'));
  });

  it('that is none is not told as text', () => {
    const { requests } = talk([fromClient(0xc1, '\xff\xff\xff\xff garbage')]);
    assert.deepEqual(requests[0]?.anomalies, ['undecodable']);
    assert.equal(requests[0].body.length, 0);
  });
});

describe('parts that were not captured', () => {
  it('are counted through in a payload', () => {
    const whole = fromClient(0x81, 'x'.repeat(20_000));
    const recorder = talk([whole.slice(0, 8192), whole.length - 8192], [fromClient(0x81, 'next')]);
    assert.deepEqual(
      bodies(recorder).map(({ length }) => length),
      [8184, 4],
    );
    assert.equal(recorder.requests[0]?.isTruncated, true);
    const inside = talk([whole.slice(0, 1000), 18_000], [whole.slice(19_000)]);
    assert.equal(bodies(inside)[0], 'x'.repeat(2000));
  });

  it('beyond a frame end what was begun; the next piece that is surely frames is read', () => {
    const recorder = talk(
      [fromClient(0x01, 'begun'), 500],
      ['\x81\x85 not a frame at all'],
      [fromClient(0x81, 'and this is one')],
      [fromClient(0x82, 'x')],
    );
    assert.deepEqual(recorder.lines, [
      ...['request websocket TEXT ', 'request ended, body "begun"', 'unread'],
      ...['request websocket TEXT ', 'request ended, body "and this is one"'],
      ...['request websocket BINARY ', 'request ended, body "x"'],
    ]);
    assert.equal(recorder.requests[0]?.isTruncated, true);
  });

  it('may be the beginning of a message', () => {
    assert.deepEqual(talk([fromClient(0x80, 'its end') + fromClient(0x81, 'next')]).lines, [
      ...['unread', 'request websocket TEXT ', 'request ended, body "next"'],
    ]);
  });
});

describe('inputs', () => {
  const inputs = (text: string): string[] => {
    const message = new WebSocketMessage('TEXT');
    message.appendBody(bytesOf(text), 0, text.length);
    return message.inputs.map(({ location, name, value }) => `${location} ${name}=${value}`);
  };

  it('are the text', () => {
    assert.deepEqual(inputs('/join #room; id'), ['body =/join #room; id']);
    assert.deepEqual(inputs(''), []);
  });

  it('are the leaves of JSON besides, of Socket.IO as well', () => {
    assert.deepEqual(inputs(' {"a":{"b":"../x"}}'), ['json a.b=../x', 'body = {"a":{"b":"../x"}}']);
    assert.deepEqual(inputs('42["chat",{"to":"bob"}]'), [
      ...['json [0]=chat', 'json [1].to=bob', 'body =42["chat",{"to":"bob"}]'],
    ]);
  });

  it('are the whole even where a document is stuffed with values', () => {
    const stuffed = inputs(`[${'"x",'.repeat(2000)}"last"]`);
    assert.ok(stuffed.length <= 256);
    assert.ok(stuffed.some((line) => line.startsWith('body =["x"')));
  });
});

describe('recognition', () => {
  const judge = (client: string, server = '', isBeginning = false): string =>
    websocket.recognise({ fromClient: bytesOf(client), fromServer: bytesOf(server), isBeginning });

  it('is likely in the middle where everything fits', () => {
    assert.equal(judge(fromClient(0x81, '{"type":"ping"}')), 'likely');
    assert.equal(judge('', fromServer(0x81, '{"type":"pong"}')), 'likely');
    assert.equal(judge(fromClient(0xc1, 'abc'), fromServer(0xc1, 'def')), 'likely');
    assert.equal(judge(fromClient(0x8a, '') + fromClient(0x88, '\x03\xe8')), 'likely');
    assert.equal(
      judge(fromClient(0x82, '\x01\x02') + fromClient(0x82, '\x03\x04') + fromClient(0x82, '\x05')),
      'likely',
    );
  });

  it('needs more than one frame that anything may be', () => {
    assert.equal(judge(fromClient(0xc2, 'abcdef')), 'maybe');
    assert.equal(judge(fromClient(0x81, '{"type":"ping"}').slice(0, 9)), 'maybe');
    assert.equal(judge('', ''), 'maybe');
  });

  it('is of nothing else, nor of the beginning of a connection', () => {
    assert.equal(judge(fromClient(0x81, '{"type":"ping"}'), '', true), 'no');
    const text = fromClient(0x81, '{"type":"ping"}');
    const others = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + 'r'.repeat(32),
      '\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0',
      '*1\r\n$4\r\nPING\r\n',
      '\x82\x0a\0\x01\0\x05topic\0',
      '\0'.repeat(32),
      '\xff'.repeat(32),
      fromServer(0x81, 'unmasked from a client'),
      fromClient(0x81, 'control \x01 characters'),
      fromClient(0x81, 'not UTF-8 \xff\xfe'),
      fromClient(0x91, 'reserved bits'),
      fromClient(0x83, 'reserved opcode'),
      fromClient(0x09, 'ping in parts'),
      fromClient(0xc0, 'compressed continuation'),
      fromClient(0x89, 'p'.repeat(126)),
      fromClient(0x88, '\0\x01'),
      fromClient(0x81, 'a whole message') + fromClient(0x80, 'and a continuation'),
      fromClient(0x01, 'a fragment') + fromClient(0x81, 'and another message'),
      `\x81\xfe\0\x02\0\0\0\0hi`,
      `${text}GET / HTTP/1.1\r\n`,
    ];
    for (const bytes of others) assert.equal(judge(bytes), 'no', JSON.stringify(bytes));
    assert.equal(judge(text, fromClient(0x81, 'masked from a server')), 'no');
    // The end of the handshake of HTTP/2.
    assert.equal(judge('', '\0\0\0\x04\x01\0\0\0\0\0\0\x04\x01\x04\0\0\0\x01abcd'), 'no');
  });

  it('is hardly ever of random bytes', () => {
    let state = 1;
    const random = (): number => (state = (state * 48271) % 0x7fffffff) & 0xff;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 40 }, random);
      const first = { fromClient: bytes, fromServer: new Uint8Array(0), isBeginning: false };
      assert.notEqual(websocket.recognise(first), 'likely');
    }
  });
});
