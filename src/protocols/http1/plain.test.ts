import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import { fixtures } from './fixtures.ts';
import { isPlainRequest, plainReplyHead } from './plain.ts';
import { Recorder } from './recorder.ts';
import { Http1Connection } from './stream.ts';

function isPlain(text: string): boolean {
  // In the middle of other bytes, as in the ring.
  const bytes = bytesOf(`xx${text}GET `);
  return isPlainRequest(bytes, 2, 2 + text.length);
}

function headBytesOf(text: string, length = text.length): number {
  const bytes = bytesOf(`\r\n${text}\r\n\r\n`);
  return plainReplyHead(bytes, 2, 2 + text.length, length);
}

function endsPlain(text: string, length = text.length): boolean {
  return headBytesOf(text, length) > 0;
}

const HOST = 'Host: shop.example:8080\r\n';
const FIELDS = `${HOST}User-Agent: Mozilla/5.0 (X11; Linux) "x"\r\nAccept: */*;q=0.8\r\nCookie: a=b; c=d\r\n`;

describe('a plain request', () => {
  const cases: readonly (readonly [text: string, isPlain: boolean])[] = [
    [`GET / HTTP/1.1\r\n${HOST}\r\n`, true],
    [`GET /orders/42?customer=bench&page=2 HTTP/1.1\r\n${FIELDS}\r\n`, true],
    ['GET / HTTP/1.1\r\n\r\n', false],
    [`GET / HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`, true],
    [`POST /ping HTTP/1.1\r\n${HOST}\r\n`, true],
    [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Upgrade: websocket\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}content-length: 0\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Content-Type: a\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}tRANSFER-ENCODING: chunked\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}TE: trailers\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}HTTP2-Settings: x\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST} folded\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}No colon\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}A : b\r\n\r\n`, false],
    [`GET / HTTP/1.1\n${HOST}\r\n`, false],
    [`GET / HTTP/1.1\r\nHost: a\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}`, false],
    [`GET / HTTP/1.1\r\n${HOST}\r`, false],
    [`GET / HTTP/1.1\r\n${HOST}\r\nx`, false],
    [`GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n\r\n`, false],
    [`GET / HTTP/1.0\r\n${HOST}\r\n`, false],
    [`HEAD / HTTP/1.1\r\n${HOST}\r\n`, false],
    [`CONNECT /a HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET  / HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET a HTTP/1.1\r\n${HOST}\r\n`, false],
    ['GET /\r\n', false],
    ['', false],
    ['GET', false],
    ['GET /', false],
    [`GET /a/../b HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /.env HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /site/.git/config HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /site/a.git/c.html HTTP/1.1\r\n${HOST}\r\n`, true],
    [`GET /a%2fb HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /?file=/etc/passwd HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /?a=b;id HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /?a=b&&id HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /?a=b|id HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET /?a=..x HTTP/1.1\r\n${HOST}\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}User-Agent: () { :; }; /bin/id\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Referer: a$(id)\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Referer: a/../../b\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Referer: a\`id\`\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Referer: a||id\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}Referer: %2e%2e\r\n\r\n`, false],
    [`GET / HTTP/1.1\r\n${HOST}X: \x00\r\n\r\n`, false],
  ];
  for (const [text, expected] of cases)
    it(`${expected ? 'is' : 'is not'} ${JSON.stringify(text)}`, () => assert.equal(isPlain(text), expected));
});

describe('a plain reply', () => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  const cases: readonly (readonly [text: string, isPlain: boolean])[] = [
    [ok, true],
    ['HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nConnection: keep-alive\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\nhello', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\tfolded\r\n\r\nhello', false],
    ['HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 304 Same\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', false],
    ['hello', false],
    ['', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', false],
  ];
  for (const [text, expected] of cases)
    it(`${expected ? 'is' : 'is not'} ${JSON.stringify(text)}`, () =>
      assert.equal(endsPlain(text), expected));

  it('may be captured in part', () => {
    assert.equal(endsPlain('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello', 41 + 5000), true);
    assert.equal(endsPlain('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello', 41 + 4999), false);
  });
});

/** Plain or not, as pieces of heads fall together. */
const head = fc
  .array(
    fc.constantFrom(
      'GET ',
      'POST ',
      '/',
      'a',
      '/orders',
      '?',
      'x=',
      '&',
      '1',
      '.',
      '..',
      '%',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      '\r',
      'Host: a\r\n',
      'Connection: keep-alive\r\n',
      'Connection: close\r\n',
      'Content-Length: 0\r\n',
      'Cookie: a=b; c\r\n',
      'Content-Length: 3\r\n',
      'abc',
      ' ',
      ':',
      '\r\n\r\n',
      'Accept: */*\r\n',
      '\t',
      'HTTP/1.1 200 OK\r\n',
      'Upgrade: x\r\n',
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));

/** Lines of a head, most of them in order, and what may follow it. */
const fields = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        ...[
          'Accept: */*',
          'Cookie: a=b; c',
          'X-A: b',
          'Date: now',
          'Connection: keep-alive',
          'Content-Length: 2',
        ],
        ...[
          'Host: c',
          'Content-Length: 0',
          'Connection: close',
          ' folded',
          'Upgrade: x',
          'A',
          ': b',
          'TE: x',
          'X: \n',
        ],
      ),
      { maxLength: 4 },
    ),
    fc.constantFrom('', '', 'ab', 'a', 'GET / HTTP/1.1\r\n'),
  )
  .map(([lines, rest]) => `${lines.map((line) => `${line}\r\n`).join('')}\r\n${rest}`);

describe('what is plain', () => {
  it('is one whole request with no body to the reader, which is idle again after a plain reply', () => {
    let plainCount = 0;
    const check = (text: string): void => {
      if (!isPlain(text)) return;
      plainCount++;
      const recorder = new Recorder();
      const connection = new Http1Connection(recorder);
      connection.fromClient(bytesOf(text), 0);
      assert.deepEqual(recorder.lines.length, 2, text);
      assert.equal(recorder.lines[1], '. ""', text);
      assert.deepEqual(recorder.messages[0]?.anomalies, [], text);
      assert.equal(connection.isIdle, false);
      connection.fromServer(bytesOf('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 0);
      assert.equal(connection.isIdle, true, text);
      assert.equal(recorder.lines.length, 4);
    };
    for (const fixture of fixtures) for (const [, text] of fixture.pieces) check(text);
    fc.assert(fc.property(head, check), { numRuns: 5000 });
    fc.assert(
      fc.property(fc.oneof(head, fields), (rest) => check(`GET /a HTTP/1.1\r\nHost: b\r\n${rest}`)),
      { numRuns: 5000 },
    );
    assert.ok(plainCount > 100, `${plainCount}`);
  });

  it('is one whole reply to the reader', () => {
    let plainCount = 0;
    fc.assert(
      fc.property(fc.oneof(head, fields), fc.nat(2), (rest, extra) => {
        const text = `HTTP/1.1 200 OK\r\n${rest}`;
        const length = text.length + extra;
        const headBytes = headBytesOf(text, length);
        if (headBytes === 0) return;
        plainCount++;
        // Whole, and of its head alone.
        for (const bytes of [text, text.slice(0, headBytes)]) {
          const recorder = new Recorder();
          const connection = new Http1Connection(recorder);
          connection.fromClient(bytesOf('GET / HTTP/1.1\r\n\r\n'), 0);
          connection.fromServer(bytesOf(bytes), length - bytes.length);
          assert.deepEqual(recorder.lines.slice(2), ['< 200', '<.'], text);
          assert.equal(connection.isIdle, true, text);
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(plainCount > 10, `${plainCount}`);
  });
});
