import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import { headerLines } from '../http/headers.ts';
import { readStatus } from '../http/status.ts';
import { readFraming } from './framing.ts';
import { headAnomalies } from './head-anomalies.ts';
import { HeadScan, parseRequestLine, requestLineKind, requestPlausibility, scanHead } from './parser.ts';

function scan(head: string): { end: number; scan: HeadScan } {
  const found = new HeadScan();
  const bytes = bytesOf(head);
  return { end: scanHead(bytes, 0, bytes.length, found), scan: found };
}

describe('scanHead', () => {
  it('finds the end and what frames a body', () => {
    const head = 'POST / HTTP/1.1\r\ncOnTent-lengTH: 12\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';
    const { end, scan: found } = scan(`${head}body`);
    assert.equal(end, head.length);
    assert.equal(found.contentLength, 12);
    assert.equal(found.firstLineEnd, 16);
    assert.equal(found.needsCare, false);
    assert.equal(found.hasExpect, true);
    assert.equal(found.mayClose, true);
  });

  it('wants more until the empty line is whole', () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let length = 0; length < head.length; length++) assert.equal(scan(head.slice(0, length)).end, -1);
    assert.equal(scan(head).end, head.length);
  });

  for (const line of [
    ...[
      'Content-Length: +5',
      'Content-Length: 5 5',
      'Content-Length:',
      'Content-Length : 5',
      'Content-Length: 5,5',
    ],
    ...['Transfer-Encoding: chunked', 'transfer-encoding\t: x', ' folded', '\tfolded', 'Content-Length: 0x5'],
    ...['Content-Length: 1\r\nContent-Length: 1', `Content-Length: ${'1'.repeat(16)}`],
  ]) {
    it(`asks for care at ${JSON.stringify(line)}`, () => {
      assert.equal(scan(`POST / HTTP/1.1\r\nA: b\r\n${line}\r\n\r\n`).scan.needsCare, true);
    });
  }

  it('is not misled by names that only begin alike', () => {
    const { scan: found } = scan(
      'GET / HTTP/1.1\r\nContent-Length-X: 5\r\nTransfer-Encodings: x\r\nCookie: a\r\n\r\n',
    );
    assert.equal(found.needsCare, false);
    assert.equal(found.contentLength, -1);
  });

  it('agrees with the careful reading wherever it claims to know', () => {
    const line = fc.constantFrom(
      'Content-Length: 7',
      'content-length:7',
      'A: b',
      'Connection: x',
      'Content-Length: 07 ',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        const head = `POST / HTTP/1.1\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`;
        const { scan: found } = scan(head);
        if (found.needsCare) return;
        const framing = readFraming(head, []);
        assert.equal(framing.kind === 'length' ? framing.length : -1, found.contentLength);
      }),
    );
  });
});

describe('readFraming', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['Content-Length: 5', 'length', []],
    ['Content-Length: 5, 5', 'length', ['repeated-length']],
    ['Content-Length: 5\r\nContent-Length: 05', 'length', ['repeated-length']],
    ['Content-Length: 5\r\nContent-Length: 6', 'unframed', ['conflicting-length']],
    ['Content-Length: -5', 'unframed', ['invalid-length']],
    ['Content-Length: ', 'unframed', ['invalid-length']],
    ['Transfer-Encoding: chunked', 'chunked', []],
    ['Transfer-Encoding:\r\n chunked', 'chunked', []],
    ['Transfer-Encoding: gzip, Chunked', 'chunked', []],
    ['Transfer-Encoding: chunked, gzip', 'unframed', ['odd-transfer-encoding']],
    ['Transfer-Encoding: chunked, chunked', 'chunked', ['odd-transfer-encoding']],
    ['Transfer-Encoding: \x0bchunked', 'unframed', ['odd-transfer-encoding']],
    ['Transfer-Encoding: chunked\r\nContent-Length: 1', 'chunked', ['length-and-transfer-encoding']],
    ['A: b', 'none', []],
  ];
  for (const [lines, kind, expected] of cases) {
    it(JSON.stringify(lines), () => {
      const anomalies: string[] = [];
      assert.equal(readFraming(`POST / HTTP/1.1\r\n${lines}\r\n\r\n`, anomalies).kind, kind);
      assert.deepEqual(anomalies, expected);
    });
  }

  it('distrusts chunked in HTTP/1.0', () => {
    const anomalies: string[] = [];
    readFraming('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', anomalies);
    assert.deepEqual(anomalies, ['transfer-encoding-in-http-1.0']);
  });
});

describe('request lines', () => {
  const kind = (line: string): string => requestLineKind(bytesOf(line), 0, line.length - 1);

  it('are judged leniently', () => {
    assert.equal(kind('GET / HTTP/1.1\r\n'), 'versioned');
    assert.equal(kind('M-SEARCH  /a b\tHTTP/1.1 \n'), 'versioned');
    assert.equal(kind('get / http/1.1\r\n'), 'versioned');
    assert.equal(kind('GET /\r\n'), 'simple');
    assert.equal(kind('GET HTTP/1.1\r\n'), 'malformed');
    assert.equal(kind('/ HTTP/1.1\r\n'), 'malformed');
    assert.equal(kind('hello world\r\n'), 'malformed');
  });

  it('are parted', () => {
    assert.deepEqual(parseRequestLine('GET /a?b HTTP/1.1\r\nHost: x\r\n'), {
      ...{ method: 'GET', target: '/a?b', version: 'HTTP/1.1' },
    });
    assert.deepEqual(parseRequestLine('GET  /a b  HTTP/1.1\r\n'), {
      method: 'GET',
      target: '/a b',
      version: 'HTTP/1.1',
    });
    assert.deepEqual(parseRequestLine('GET /cut HTTP/1'), {
      method: 'GET',
      target: '/cut HTTP/1',
      version: '',
    });
    assert.deepEqual(parseRequestLine('GET'), { method: 'GET', target: '', version: '' });
  });

  it('stay plausible as they grow', () => {
    for (const line of [
      'GET / HTTP/1.1\r\n',
      'OPTIONS * HTTP/1.1\r\n',
      'GET http://a/ HTTP/1.1\r\n',
      'X-Y /z HTTP/1.1\r\n',
    ]) {
      const bytes = bytesOf(line);
      let last = 'maybe';
      for (let length = 0; length <= bytes.length; length++) {
        const now = requestPlausibility(bytes, 0, length, false);
        assert.notEqual(now, 'no');
        if (last === 'yes') assert.equal(now, 'yes');
        last = now;
      }
      assert.equal(last, 'yes');
    }
  });

  it('that are plausible among unknown bytes are so in step too', () => {
    const part = fc.constantFrom(
      'GET',
      'PO',
      'ST',
      ' ',
      '/',
      'http://',
      '*',
      ' HTTP/1.1',
      '\r\n',
      '\x01',
      'x',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const bytes = bytesOf(parts.join(''));
        if (requestPlausibility(bytes, 0, bytes.length, true) !== 'yes') return;
        assert.equal(requestPlausibility(bytes, 0, bytes.length, false), 'yes');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readStatus', () => {
  it('wants twelve bytes', () => {
    const line = bytesOf('HTTP/1.1 404 Not Found\r\n');
    for (let length = 0; length < 12; length++) assert.equal(readStatus(line, 0, length), 0);
    assert.equal(readStatus(line, 0, 12), 404);
    for (const other of ['HTTP/2 200', 'HTTP/1.1 0200', 'HTTP/1.1 2x0 OK', 'hello', 'HTTP/1.1-200']) {
      assert.equal(readStatus(bytesOf(`${other} and more`), 0, other.length + 9), -1);
    }
  });
});

describe('headers', () => {
  it('are lower case, trimmed, unfolded, repeated', () => {
    const head = 'GET / HTTP/1.1\r\nHost:  a \r\nX-A: 1\r\n\t2\r\n \r\nx-a:3\r\nnothing\r\nCut: va';
    assert.deepEqual(headerLines(head, 256), [
      ['host', 'a'],
      ['x-a', '1 2'],
      ['x-a', '3'],
      ['cut', 'va'],
    ]);
  });

  it('show what is odd', () => {
    assert.deepEqual(headAnomalies('GET / HTTP/1.1\r\nHost: a\r\n\r\n', false), []);
    assert.deepEqual(headAnomalies('GET /\xff x HTTP/1.7\r\nHost: a\r\nhost: b\rc\r\n\r\n', false), [
      ...['bare-cr', 'space-in-target', 'non-ascii-target', 'odd-version', 'repeated-host'],
    ]);
    assert.deepEqual(headAnomalies('GET / HTTP/1.1\r\n\r\n', false), ['missing-host']);
  });

  it('never fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        headerLines(text, 256);
        headAnomalies(text, false);
        parseRequestLine(text);
        readFraming(text, []);
      }),
    );
  });
});
