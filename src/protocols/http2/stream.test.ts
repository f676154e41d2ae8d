import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { testFixtures } from '../testing.ts';
import { MAX_STREAMS } from './exchange.ts';
import { http2 } from './index.ts';
import { PREFACE } from './parser.ts';
import { Http2Connection } from './stream.ts';
import { BEGINNING, frame, get, listed, literal, post, SETTINGS_FRAME, StreamRecorder } from './testing.ts';

testFixtures(http2, join(import.meta.dirname, 'fixtures'));

const END = 0x05;

function told(fromClient: readonly Buffer[], fromServer: readonly Buffer[] = []): StreamRecorder {
  const recorder = new StreamRecorder();
  const connection = new Http2Connection(recorder);
  connection.fromClient(Buffer.concat([BEGINNING, ...fromClient]), 0);
  connection.fromServer(Buffer.concat([SETTINGS_FRAME, ...fromServer]), 0);
  return recorder;
}

function anomalies(block: string): readonly string[] {
  return told([frame(1, END, 1, block)]).messages.get(1)?.anomalies ?? ['no message'];
}

describe('requests', () => {
  it('have a head like those of HTTP/1', () => {
    const more = literal(':authority', 'shop:80') + literal('x-api', '1') + literal('cookie', 'a=1');
    const { messages } = told([frame(1, END, 1, get('/a/b?q=%3Bid', more))]);
    const message = messages.get(1);
    assert.equal(message?.head, 'GET /a/b?q=%3Bid\r\nhost: shop:80\r\nx-api: 1\r\ncookie: a=1\r\n\r\n');
    assert.deepEqual(message.headers[0], ['host', 'shop:80']);
    assert.deepEqual(listed(message), [
      ...['query q=%3Bid', 'path =a', 'path =b', 'header host=shop:80', 'header x-api=1', 'cookie a=1'],
    ]);
    assert.deepEqual(message.anomalies, []);
    assert.equal(message.isTruncated, false);
  });

  it('have bodies: forms, JSON, multipart', () => {
    const bodies: [type: string, body: string, inputs: string[]][] = [
      ['application/x-www-form-urlencoded', 'a=1&b=%3B', ['form a=1', 'form b=%3B']],
      ['application/json', '{"a":{"b":"c"}}', ['json a.b=c']],
      [
        'multipart/form-data; boundary=B',
        '--B\r\nContent-Disposition: form-data; name="f"; filename="x.php"\r\n\r\n<?\r\n--B--\r\n',
        ['multipart f.filename=x.php', 'multipart f=<?'],
      ],
    ];
    for (const [type, body, inputs] of bodies) {
      const head = frame(1, 4, 1, post('/', literal('content-type', type)));
      const { messages } = told([head, frame(0, 0, 1, body.slice(0, 5)), frame(0, 1, 1, body.slice(5))]);
      assert.deepEqual(listed(messages.get(1)), inputs);
    }
  });

  it('keep their bodies apart where streams are mixed', () => {
    const recorder = told([
      frame(1, 4, 1, post('/a')),
      frame(1, 4, 3, post('/b')),
      frame(0, 0, 1, 'a1'),
      frame(0, 0, 3, 'b1'),
      frame(0, 1, 1, 'a2'),
      frame(0, 1, 3, 'b2'),
    ]);
    assert.deepEqual(recorder.lines.slice(2), ['1 ended "a1a2"', '3 ended "b1b2"']);
  });

  it('come padded, with priority, in CONTINUATION frames', () => {
    const block = get('/x', literal('x-a', '1'));
    const recorder = told([
      frame(1, 0x29, 1, `\x04\0\0\0\0\x10${block.slice(0, 4)}\0\0\0\0`),
      frame(9, 0, 1, block.slice(4, 9)),
      frame(9, 0, 1),
      frame(9, 4, 1, block.slice(9)),
      frame(1, 4, 3, post('/y')),
      frame(0, 0x09, 3, '\x03body\0\0\0'),
    ]);
    assert.deepEqual(recorder.lines, [
      ...['1 request http2 GET /x', '1 ended ""', '3 request http2 POST /y', '3 ended "body"'],
    ]);
    assert.deepEqual(recorder.messages.get(1)?.headers, [['x-a', '1']]);
  });

  it('end with trailers, which are noted', () => {
    const recorder = told([
      frame(1, 4, 1, post('/a')),
      frame(0, 0, 1, 'x'),
      frame(1, END, 1, literal('x-sum', '1')),
    ]);
    assert.deepEqual(recorder.lines, ['1 request http2 POST /a', '1 ended "x" trailers']);
  });

  it('are told when they are cut off by the end of the connection', () => {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    connection.fromClient(
      Buffer.concat([BEGINNING, frame(1, 0, 1, get('/a')), frame(9, 4, 1, 'xyz').subarray(0, 10)]),
      0,
    );
    connection.close();
    assert.deepEqual(recorder.lines, ['1 request http2 GET /a', '1 ended "" truncated cut-head']);
    assert.equal(connection.isFinished, true);
  });

  it('by CONNECT', () => {
    const connect = literal(':method', 'CONNECT') + literal(':authority', 'intra:22');
    assert.equal(told([frame(1, 4, 1, connect)]).messages.get(1)?.target, 'intra:22');
    const websocket = connect + literal(':protocol', 'websocket') + literal(':path', '/ws?a=b') + '\x86';
    const message = told([frame(1, 4, 1, websocket)]).messages.get(1);
    assert.equal(message?.target, '/ws?a=b');
    assert.deepEqual(listed(message), ['query a=b', 'path =ws', 'header host=intra:22']);
  });

  it('show what is odd about them', () => {
    assert.deepEqual(anomalies(get('/', literal('X-Api', '1'))), ['upper-case-header-name']);
    assert.deepEqual(anomalies(get('/', literal('transfer-encoding', 'chunked'))), ['connection-header']);
    assert.deepEqual(anomalies(get('/', literal('x', 'a\r\nhost: b'))), ['control-in-header']);
    assert.deepEqual(anomalies(get('/', literal('a b', '1'))), ['invalid-header-name']);
    assert.deepEqual(anomalies(get('/a b', '')), ['space-in-target']);
    assert.deepEqual(anomalies(literal('x', '1') + get('/')), ['pseudo-header-after-header']);
    assert.deepEqual(anomalies(get('/', literal(':path', '/b'))), ['repeated-pseudo-header']);
    assert.deepEqual(anomalies(get('/', literal(':x', '/b'))), ['unknown-pseudo-header']);
    assert.deepEqual(anomalies('\x82\x86'), ['missing-pseudo-header']);
    assert.deepEqual(anomalies(get('/', literal(':authority', 'a') + literal('host', 'b'))), [
      'conflicting-host',
    ]);
    assert.deepEqual(anomalies(get('/', '\xbe')), ['malformed-header-block']);
    const length = post('/', literal('content-length', '9'));
    const short = told([frame(1, 4, 1, length), frame(0, 1, 1, 'abc')]);
    assert.deepEqual(short.messages.get(1)?.anomalies, ['conflicting-length']);
  });
});

describe('replies', () => {
  it('end requests: by status, interim ones left out, trailers taken', () => {
    const head = literal(':status', '103');
    const recorder = told(
      [frame(1, END, 1, get('/'))],
      [
        frame(1, 4, 1, head),
        frame(1, 4, 1, '\x8d'),
        frame(0, 0, 1, 'no'),
        frame(1, END, 1, literal('x-sum', '1')),
      ],
    );
    assert.deepEqual(recorder.lines.slice(2), ['1 response 404', '1 response ended']);
  });

  it('pushed ones and their promises are nobody’s requests, but use the table', () => {
    const promise = `\0\0\0\x02${get('/pushed', literal('x-table', 'one', true))}`;
    const recorder = told(
      [frame(1, END, 1, get('/'))],
      [
        frame(5, 4, 1, promise),
        frame(1, 4, 2, '\x88'),
        frame(1, 4, 1, `${literal(':status', '418', true)}\xbf`),
        frame(0, 1, 2, 'x'),
        frame(1, END, 1, '\xbe'),
      ],
    );
    assert.deepEqual(recorder.lines.slice(2), ['1 response 418', '1 response ended']);
  });

  it('early ones leave the request open', () => {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    connection.fromClient(Buffer.concat([BEGINNING, frame(1, 4, 1, post('/'))]), 0);
    connection.fromServer(Buffer.concat([SETTINGS_FRAME, frame(1, END, 1, '\x8c')]), 0);
    connection.fromClient(frame(0, 1, 1, 'late'), 0);
    assert.deepEqual(recorder.lines.slice(1), ['1 response 400', '1 response ended', '1 ended "late"']);
    assert.equal(connection.openStreams, 0);
  });

  it('RST_STREAM and GOAWAY end what they name', () => {
    const requests = [1, 3, 5, 7].map((id) => frame(1, id === 3 ? 4 : END, id, get(`/${id}`)));
    const recorder = told(requests, [frame(3, 0, 3, '\0\0\0\x07'), frame(7, 0, 0, '\0\0\0\x05\0\0\0\0')]);
    assert.deepEqual(recorder.lines.slice(7), ['3 ended ""', '3 response ended', '7 response ended']);
  });
});

describe('bounds', () => {
  it('of open streams: the oldest makes room', () => {
    const recorder = new StreamRecorder();
    const connection = new Http2Connection(recorder);
    connection.fromClient(BEGINNING, 0);
    for (let index = 0; index < MAX_STREAMS + 10; index++) {
      connection.fromClient(frame(1, END, index * 2 + 1, get('/')), 0);
    }
    assert.equal(connection.openStreams, MAX_STREAMS);
    assert.deepEqual(recorder.messages.get(1)?.anomalies, ['too-many-streams']);
    assert.ok(recorder.lines.includes('1 response ended'));
  });

  it('of header blocks and bodies', () => {
    const part = literal('x-flood', 'v'.repeat(8000));
    const flood = Array.from({ length: 40 }, (_, index) => frame(9, index === 39 ? 4 : 0, 1, part));
    const recorder = told([frame(1, 1, 1, get('/')), ...flood, frame(1, END, 3, get('/next'))]);
    assert.ok(recorder.messages.get(1)?.isTruncated);
    assert.ok(recorder.lines.includes('3 request http2 GET /next'));
    const upload = Array.from({ length: 40 }, () => frame(0, 0, 1, 'x'.repeat(1000)));
    assert.equal(told([frame(1, 4, 1, post('/')), ...upload]).messages.get(1)?.body.length, 8192);
  });

  it('of a search for frames that never come', () => {
    const connection = new Http2Connection(new StreamRecorder());
    for (let index = 0; index < 40; index++)
      connection.fromClient(Buffer.alloc(8192, 'GET / HTTP/1.1\r\n'), 0);
    assert.equal(connection.isFinished, true);
  });
});

describe('recognise', () => {
  const nothing = { fromClient: new Uint8Array(0), fromServer: new Uint8Array(0), isBeginning: true };
  const client = (bytes: Uint8Array, isBeginning = true): string =>
    http2.recognise({ ...nothing, fromClient: bytes, isBeginning });

  it('the preface', () => {
    assert.equal(client(PREFACE), 'certain');
    for (let length = 1; length < PREFACE.length; length++) {
      assert.equal(client(PREFACE.subarray(0, length)), 'maybe');
    }
    assert.equal(client(Buffer.concat([PREFACE.subarray(0, 20), bytesOf('xx')])), 'no');
    assert.equal(http2.recognise({ ...nothing, fromServer: SETTINGS_FRAME }), 'maybe');
    assert.equal(http2.recognise({ ...nothing, fromServer: frame(1, 4, 1, '\x88') }), 'no');
  });

  it('the middle of a connection', () => {
    const fields = ['a', 'b', 'c'].map((name) => literal(name, '1')).join('');
    const request = frame(1, END, 7, get('/', fields));
    assert.equal(client(request, false), 'likely');
    assert.equal(client(request), 'no');
    const middle = { fromClient: request, fromServer: frame(1, 4, 7, '\xbe'), isBeginning: false };
    assert.equal(http2.recognise(middle), 'likely');
    assert.equal(http2.recognise({ ...middle, fromServer: bytesOf('in the middle of a body') }), 'likely');
    const window = frame(8, 0, 0, '\0\0\x10\0');
    assert.equal(client(window, false), 'maybe');
    assert.equal(
      http2.recognise({ fromClient: window, fromServer: frame(0, 0, 7, 'xx'), isBeginning: false }),
      'maybe',
    );
    assert.equal(http2.recognise({ fromClient: window, fromServer: window, isBeginning: false }), 'likely');
  });

  it('nothing else', () => {
    const others: Record<string, string> = {
      http1: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      tls: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      postgresql: '\x00\x00\x00\x52\x00\x03\x00\x00user\0ann\0database\0shop\0\0',
      'postgresql query': 'Q\x00\x00\x00\x0dselect 1\0',
      'mysql query': '\x09\x00\x00\x00\x03select 1',
      mongodb: '\x3f\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00',
      redis: '*1\r\n$4\r\nPING\r\n',
      kafka: '\x00\x00\x00\x1b\x00\x12\x00\x03\x00\x00\x00\x01\x00\x0bconsumer-1\x00\x00\x00\x00\x00\x00',
      'kafka produce':
        '\x00\x00\x01\x1b\x00\x00\x00\x07\x00\x00\x00\x03\x00\x0bproducer-1\xff\xff\xff\xff\x00\x00\x05\xdc',
      amqp: '\x01\x00\x01\x00\x00\x00\x05\x00\x0a\x00\x0a\x00\xce',
      cassandra: '\x04\x00\x00\x01\x05\x00\x00\x00\x00\x00\x00\x00',
      'dns over tcp':
        '\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01',
      'dns, some id':
        '\x00\x1d\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01',
      zeros: '\0'.repeat(64),
      thrift: '\x00\x00\x00\x1c\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00',
    };
    for (const [name, text] of Object.entries(others)) {
      assert.equal(client(bytesOf(text)), 'no', name);
      assert.equal(client(bytesOf(text), false), 'no', `${name}, in the middle`);
    }
  });

  it('random bytes hardly ever', () => {
    let state = 7;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647);
    let likely = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 64 }, () => random() >> 8);
      // Zeros where lengths have them: what binary protocols look like.
      bytes[0] = 0;
      bytes[1] = 0;
      if (client(bytes, false) === 'likely') likely++;
    }
    assert.equal(likely, 0);
  });
});
