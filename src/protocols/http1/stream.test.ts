import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byteString, bytesOf } from '../../base/bytes.ts';
import { fixtures, type Fixture } from './fixtures.ts';
import { fuzzHttp1 } from './fuzz.ts';
import { http1 } from './index.ts';
import { MAX_BODY_BYTES } from '../http/message.ts';
import { Recorder } from './recorder.ts';
import { Http1Connection } from './stream.ts';

/** Plays a fixture with every piece cut at the given offsets of the whole, through one reused buffer. */
function play(fixture: Fixture, cuts: readonly number[]): string[] {
  const recorder = new Recorder();
  const connection = new Http1Connection(recorder);
  let base = 0;
  for (const [direction, text] of fixture.pieces) {
    const bytes = bytesOf(text);
    const ends = [
      ...cuts.map((cut) => cut - base).filter((cut) => cut > 0 && cut < bytes.length),
      bytes.length,
    ];
    let start = 0;
    for (const end of ends) {
      const part = bytes.slice(start, end);
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

function totalLength(fixture: Fixture): number {
  return fixture.pieces.reduce((sum, [, text]) => sum + text.length, 0);
}

function talk(...pieces: readonly (readonly ['>' | '<', string, number?])[]): {
  lines: string[];
  recorder: Recorder;
  connection: Http1Connection;
} {
  const recorder = new Recorder();
  const connection = new Http1Connection(recorder);
  for (const [direction, text, missing] of pieces) {
    if (direction === '>') connection.fromClient(bytesOf(text), missing ?? 0);
    else connection.fromServer(bytesOf(text), missing ?? 0);
  }
  return { lines: recorder.lines, recorder, connection };
}

const GET = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('fixtures', () => {
  for (const fixture of fixtures) {
    it(fixture.name, () => {
      assert.deepEqual(play(fixture, []), fixture.expected);
      const total = totalLength(fixture);
      const every = Array.from({ length: total }, (_, index) => index);
      assert.deepEqual(play(fixture, every), fixture.expected, 'byte by byte');
      for (const cut of every)
        assert.deepEqual(play(fixture, [cut]), fixture.expected, `cut at ${String(cut)}`);
      const pair = fc.tuple(fc.nat(total), fc.nat(total)).map((cuts) => cuts.toSorted((a, b) => a - b));
      fc.assert(
        fc.property(pair, (cuts) => {
          assert.deepEqual(play(fixture, cuts), fixture.expected);
        }),
        { numRuns: 200 },
      );
    });
  }
});

describe('end of HTTP', () => {
  it('finishes after an upgrade and after the preface of HTTP/2', () => {
    const upgrade = talk(['>', GET], ['<', 'HTTP/1.1 101 Switching Protocols\r\n\r\n']);
    assert.equal(upgrade.connection.isFinished, true);
    const preface = talk(['>', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']);
    assert.equal(preface.connection.isFinished, true);
    assert.deepEqual(preface.lines, []);
  });

  it('hands over with the bytes after the reply, however they are cut', () => {
    const ask = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n';
    const whole = `${head}\x81\x07welcome`;
    for (let cut = 0; cut < whole.length; cut++) {
      const { connection, lines } = talk(['>', ask], ['<', whole.slice(0, cut)], ['<', whole.slice(cut)]);
      assert.deepEqual(lines, ['> GET /chat', '. ""', '< 101', '<.']);
      assert.equal(connection.isFinished, true);
      const { handOver } = connection;
      assert.equal(handOver?.protocol, 'websocket');
      // What comes after the piece that ended the head is not given to this reader any more.
      const piece = cut < head.length ? whole : whole.slice(0, cut);
      assert.equal(byteString(handOver.fromServer), piece.slice(head.length));
      assert.equal(handOver.fromClient.length, 0);
    }
  });

  it('hands over copies, to HTTP/2 as well, and to nobody it does not know', () => {
    const reply = (name: string): string =>
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${name}\r\n\r\nrest`;
    const connection = new Http1Connection(new Recorder());
    connection.fromClient(bytesOf('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n'), 0);
    const bytes = bytesOf(reply('h2c'));
    connection.fromServer(bytes, 0);
    bytes.fill(0);
    connection.fromServer(bytesOf('more'), 0);
    assert.equal(connection.handOver?.protocol, 'http2');
    assert.equal(byteString(connection.handOver.fromServer), 'rest');
    assert.equal(talk(['>', GET], ['<', reply('TLS/1.0')]).connection.handOver, null);
    assert.equal(talk(['>', GET], ['<', OK]).connection.handOver, null);
  });

  it('hands over where the end of the reply was not captured', () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebS';
    const { connection, lines } = talk(['>', GET], ['<', head, 50]);
    assert.equal(connection.handOver?.protocol, 'websocket');
    assert.deepEqual(lines, ['> GET /next', '. ""', '< 101', '<.']);
  });

  it('goes on after a refused upgrade', () => {
    const { lines, connection } = talk(
      ['>', 'CONNECT a:1 HTTP/1.1\r\n\r\n'],
      ['<', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'],
      ['>', GET],
    );
    assert.equal(connection.isFinished, false);
    assert.equal(lines.at(-2), '> GET /next');
  });

  it('gives up on endless pipelining, and on an endless head', () => {
    const pipelining = talk(['>', GET.repeat(100)]);
    assert.equal(pipelining.connection.isFinished, true);
    assert.equal(pipelining.recorder.messages.length, 64);
    const recorder = new Recorder();
    const connection = new Http1Connection(recorder);
    connection.fromClient(bytesOf('GET /slow HTTP/1.1\r\n'), 0);
    const line = bytesOf(`X: ${'y'.repeat(4000)}\r\n`);
    for (let count = 0; count < 400; count++) connection.fromClient(line, 0);
    assert.equal(connection.isFinished, true);
    assert.equal(recorder.lines[0], '> GET /slow');
    assert.ok(recorder.messages[0]?.anomalies.includes('endless-head'));
  });

  it('gives up where no request is ever seen', () => {
    const recorder = new Recorder();
    const connection = new Http1Connection(recorder);
    const noise = new Uint8Array(4096).fill(0x16);
    for (let count = 0; count < 100; count++) connection.fromClient(noise, 0);
    assert.equal(connection.isFinished, true);
    assert.deepEqual(recorder.lines, []);
  });
});

describe('parts that were not captured', () => {
  it('counts a missing body through', () => {
    const { lines } = talk(
      ['>', 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc', 7],
      ['<', 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nab', 4000],
      ['<', '', 998],
      ['>', GET],
    );
    assert.deepEqual(lines, ['> POST /a', '. "abc" (truncated)', '< 200', '<.', '> GET /next', '. ""']);
  });

  it('counts through a missing part inside a chunk', () => {
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
    const { lines } = talk(
      ['>', `POST /a HTTP/1.1\r\nHost: a\r\n${chunked}A\r\nab`, 8],
      ['>', '\r\n0\r\n\r\n'],
      ['<', `HTTP/1.1 200 OK\r\n${chunked}fff\r\nab`, 0xffd],
      ['<', '\r\n0\r\n\r\n'],
    );
    assert.deepEqual(lines, ['> POST /a', '. "ab" (truncated)', '< 200', '<.']);
  });

  it('ends a chunked reply at its last chunk, or when the next request begins', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel';
    const seen = talk(['>', GET], ['<', head, 9000], ['<', 'x\r\n0\r\n\r\n'], ['>', GET], ['<', OK]);
    const one = ['> GET /next', '. ""', '< 200', '<.'];
    assert.deepEqual(seen.lines, [...one, ...one]);
    const unseen = talk(['>', GET], ['<', head, 9000], ['<', 'noise', 5], ['>', GET], ['<', OK]);
    assert.deepEqual(unseen.lines, [...one, ...one]);
    const closed = talk(['>', GET], ['<', head, 9000]);
    assert.equal(closed.lines.length, 3);
    closed.connection.close();
    assert.deepEqual(closed.lines, one);
  });

  it('reports a request whose head is cut, and finds the next one', () => {
    const { lines, recorder } = talk(
      ['>', 'GET /cut HTTP/1.1\r\nHost: a\r\nCookie: abc', 5000],
      ['<', OK],
      ['>', GET],
      ['<', OK],
    );
    assert.deepEqual(lines, [
      ...['> GET /cut', '< 200', '. "" (truncated cut-head)', '<.'],
      ...['> GET /next', '. ""', '< 200', '<.'],
    ]);
    assert.deepEqual(recorder.messages[0]?.headers.at(-1), ['cookie', 'abc']);
    const again = talk(
      ['>', 'GET /cut HTTP/1.1\r\nHost: a\r\n', 50],
      ['>', 'tail'],
      ['>', 'GE'],
      ['>', GET.slice(2)],
    );
    assert.deepEqual(again.lines, ['> GET /cut', '. "tail" (truncated cut-head)', '> GET /next', '. ""']);
  });

  it('reports a cut request line, and nothing where not even a method is known', () => {
    const { lines } = talk(['>', 'GET /aaaa', 5000], ['<', OK]);
    assert.deepEqual(lines, ['> GET /aaaa', '< 200', '. "" (truncated cut-head cut-request-line)', '<.']);
    assert.deepEqual(talk(['>', 'GE', 5000], ['<', OK]).lines, []);
  });

  it('knows a status from a cut reply head', () => {
    const { lines } = talk(['>', GET], ['<', 'HTTP/1.1 500 Oops\r\nX: ', 3000], ['>', GET]);
    assert.deepEqual(lines, ['> GET /next', '. ""', '< 500', '<.', '> GET /next', '. ""']);
  });

  it('ends requests whose replies were not captured when the client goes on', () => {
    const { lines } = talk(['>', GET], ['<', '', 300], ['>', GET], ['<', OK]);
    assert.deepEqual(lines, ['> GET /next', '. ""', '<.', '> GET /next', '. ""', '< 200', '<.']);
  });

  it('begins in the middle of a connection', () => {
    const { lines } = talk(
      ['>', 'st of a body'],
      ['<', OK],
      ['<', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n', 3],
      ['>', GET],
      ['<', OK],
    );
    assert.deepEqual(lines, ['> GET /next', '. ""', '< 200', '<.']);
  });
});

describe('odd peers', () => {
  it('takes the answer to an incomplete head as its end', () => {
    const { lines } = talk(['>', 'GET /raw HTTP/1.0\r\nX: y'], ['<', OK]);
    assert.deepEqual(lines, ['> GET /raw', '< 200', '. "" (truncated answered-early)', '<.']);
  });

  it('lets a client leave out the body that was refused', () => {
    const { lines } = talk(
      ['>', 'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n'],
      ['<', 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'],
      ['>', GET],
    );
    assert.deepEqual(lines, ['> POST /a', '< 417', '<.', '. "" (body-omitted)', '> GET /next', '. ""']);
  });

  it('flags a request after Connection: close', () => {
    const { recorder } = talk(['>', `GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n${GET}${GET}`]);
    assert.deepEqual(
      recorder.messages.map((message) => message.anomalies),
      [[], ['data-after-close'], []],
    );
  });

  it('keeps 16 KiB of a head and still finds its length', () => {
    const filler = `X-Fill: ${'f'.repeat(1000)}\r\n`.repeat(30);
    const head = `POST /h HTTP/1.1\r\nHost: a\r\n${filler}Content-Length: 3\r\n\r\nabc`;
    for (const size of [1_000_000, 1000, 7]) {
      const recorder = new Recorder();
      const connection = new Http1Connection(recorder);
      const bytes = bytesOf(head + GET);
      for (let start = 0; start < bytes.length; start += size) {
        connection.fromClient(bytes.slice(start, start + size), 0);
        assert.ok(connection.bufferedBytes < 24 * 1024);
      }
      assert.deepEqual(recorder.lines, [
        '> POST /h',
        '. "abc" (truncated oversized-head)',
        '> GET /next',
        '. ""',
      ]);
      assert.equal(recorder.messages[0]?.headers.length, 18);
    }
  });

  it('keeps 8 KiB of a body', () => {
    const body = 'b'.repeat(20_000);
    const { recorder } = talk([
      '>',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n${body}${GET}`,
    ]);
    assert.equal(recorder.messages[0]?.body.length, MAX_BODY_BYTES);
    assert.equal(recorder.messages[0]?.isTruncated, true);
    assert.equal(recorder.messages.length, 2);
  });

  it('lists 256 headers', () => {
    const { recorder } = talk(['>', `GET / HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(1000)}\r\n`]);
    assert.equal(recorder.messages[0]?.headers.length, 256);
    assert.ok(recorder.messages[0]?.anomalies.includes('too-many-headers'));
  });
});

describe('recognise', () => {
  const cases: readonly (readonly [string, 'certain' | 'no' | 'maybe'])[] = [
    ['GET / HTTP/1.1\r\n', 'certain'],
    ['GET /lo', 'certain'],
    ['\r\nPOST /', 'certain'],
    ['G', 'maybe'],
    ['', 'maybe'],
    ['FOO /x HTTP/1.1\r\n', 'certain'],
    ['FOO /x', 'maybe'],
    ['GET http://a/ HT', 'certain'],
    ['OPTIONS * HTTP/1.1\r\n', 'certain'],
    ['OPTIONS * RTSP/1.0\r\n', 'no'],
    ['CONNECT a:1 HTTP/1.1\r\n', 'certain'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'no'],
    ['GET key\r\n', 'no'],
    ['get key\r\n', 'no'],
    ['INVITE sip:a@b SIP/2.0\r\n', 'no'],
    ['*1\r\n$4\r\nPING\r\n', 'no'],
    ['\x16\x03\x01\x02\x00', 'no'],
    ['HTTP/1.1 200 OK\r\n', 'no'],
    ['EHLO mail\r\n', 'no'],
    [`${'A'.repeat(40)} `, 'no'],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => {
      assert.equal(
        http1.recognise({ fromClient: bytesOf(text), fromServer: bytesOf(''), isBeginning: true }),
        expected,
      );
    });
  }
});

describe('hostile bytes', () => {
  it('neither throw nor grow without bound', () => {
    const piece = fc.record({
      isInbound: fc.boolean(),
      bytes: fc.uint8Array({ maxLength: 300 }),
      missing: fc.oneof(fc.constant(0), fc.nat(5000)),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const connection = new Http1Connection(new Recorder());
        for (const { isInbound, bytes, missing } of pieces) {
          if (isInbound) connection.fromClient(bytes, missing);
          else connection.fromServer(bytes, missing);
          assert.ok(connection.bufferedBytes <= 48 * 1024);
          assert.ok(connection.unansweredCount <= 64);
        }
        connection.close();
      }),
      { numRuns: 300 },
    );
  });

  it('made from pieces of HTTP do not either', () => {
    fuzzHttp1(3000, 1);
  });
});
