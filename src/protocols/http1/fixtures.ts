/** One connection for tests: pieces in order of time, '>' from the client and '<' to it; and what is told about it. */
export interface Fixture {
  readonly name: string;
  readonly pieces: readonly (readonly ['>' | '<', string])[];
  readonly expected: readonly string[];
}

/** Lines joined by CRLF, then the body. */
function message(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const HOST = 'Host: shop.example';
const OK = message(['HTTP/1.1 200 OK', 'Content-Length: 2'], 'ok');
const GET = message(['GET / HTTP/1.1', HOST]);
const CHROME = [
  'Connection: keep-alive',
  'sec-ch-ua: "Chromium";v="124", "Not-A.Brand";v="99"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br',
  'Cookie: session=0123456789abcdef; theme=dark',
];
const MULTIPART = [
  '------WebKitFormBoundaryA1b2C3',
  'Content-Disposition: form-data; name="title"',
  '',
  'Summer',
  '------WebKitFormBoundaryA1b2C3',
  'Content-Disposition: form-data; name="file"; filename="shell.php"',
  'Content-Type: application/octet-stream',
  '',
  '<?php system($_GET[0]); ?>',
  '------WebKitFormBoundaryA1b2C3--',
  '',
].join('\r\n');

export const fixtures: readonly Fixture[] = [
  {
    name: 'curl to Node',
    pieces: [
      [
        '>',
        message([
          'GET /ping?host=1 HTTP/1.1',
          'Host: localhost:3000',
          'User-Agent: curl/8.5.0',
          'Accept: */*',
        ]),
      ],
      [
        '<',
        message(
          [
            'HTTP/1.1 200 OK',
            'Content-Type: text/plain',
            'Date: Mon, 01 Jan 2024 00:00:00 GMT',
            'Connection: keep-alive',
            'Keep-Alive: timeout=5',
            'Content-Length: 5',
          ],
          'pong\n',
        ),
      ],
    ],
    expected: ['> GET /ping?host=1', '. ""', '< 200', '<.'],
  },
  {
    name: 'browser to Apache, kept alive, chunked reply',
    pieces: [
      ['>', message(['GET /a HTTP/1.1', HOST, ...CHROME])],
      [
        '<',
        message(
          [
            'HTTP/1.1 200 OK',
            'Server: Apache/2.4.58 (Debian)',
            'Transfer-Encoding: chunked',
            'Content-Type: text/html',
          ],
          '5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n',
        ),
      ],
      ['>', message(['GET /b HTTP/1.1', HOST, ...CHROME])],
      ['<', message(['HTTP/1.1 404 Not Found', 'Server: Apache/2.4.58 (Debian)', 'Content-Length: 0'])],
    ],
    expected: ['> GET /a', '. ""', '< 200', '<.', '> GET /b', '. ""', '< 404', '<.'],
  },
  {
    name: 'form to nginx, redirect, then read until close',
    pieces: [
      [
        '>',
        message(
          [
            'POST /login HTTP/1.1',
            HOST,
            'Content-Type: application/x-www-form-urlencoded',
            'Content-Length: 13',
          ],
          'user=a&pass=b',
        ),
      ],
      ['<', message(['HTTP/1.1 302 Found', 'Server: nginx', 'content-length:\t0  ', 'Location: /'])],
      ['>', message(['GET / HTTP/1.0', HOST])],
      ['<', message(['HTTP/1.1 200 OK', 'Connection: close'], 'endless HTTP/1.1 200 OK\r\n\r\n')],
    ],
    expected: ['> POST /login', '. "user=a&pass=b"', '< 302', '<.', '> GET /', '. ""', '< 200', '<.'],
  },
  {
    name: 'multipart upload',
    pieces: [
      [
        '>',
        message(
          [
            'POST /upload HTTP/1.1',
            HOST,
            'Content-Type: multipart/form-data; boundary=----WebKitFormBoundaryA1b2C3',
            `Content-Length: ${String(MULTIPART.length)}`,
          ],
          MULTIPART,
        ),
      ],
      ['<', message(['HTTP/1.1 201 Created', 'Content-Length: 2'], 'ok')],
    ],
    expected: ['> POST /upload', `. ${JSON.stringify(MULTIPART)}`, '< 201', '<.'],
  },
  {
    name: 'chunked both ways, extensions and trailers',
    pieces: [
      [
        '>',
        message(
          ['PUT /x HTTP/1.1', HOST, 'Transfer-Encoding: chunked', 'Trailer: X-Sum'],
          '4;a=b\r\nWiki\r\n5\r\npedia\r\n0;last\r\nX-Sum: 1\r\n\r\n',
        ),
      ],
      [
        '<',
        message(
          ['HTTP/1.1 200 OK', 'transfer-encoding: Chunked'],
          'A\r\n0123456789\r\n0\r\nX-Sum: 2\r\n\r\n',
        ),
      ],
      ['>', GET],
      ['<', OK],
    ],
    expected: ['> PUT /x', '. "Wikipedia" (trailers)', '< 200', '<.', '> GET /', '. ""', '< 200', '<.'],
  },
  {
    name: 'pipelined, replies in order',
    pieces: [
      [
        '>',
        message(['GET /1 HTTP/1.1', HOST]) +
          message(['POST /2 HTTP/1.1', HOST, 'Content-Length: 3'], 'abc') +
          message(['HEAD /3 HTTP/1.1', HOST]) +
          message(['GET /4 HTTP/1.1', HOST]),
      ],
      [
        '<',
        OK +
          message(['HTTP/1.1 500 Internal Server Error', 'Content-Length: 1'], 'x') +
          message(['HTTP/1.1 200 OK', 'Content-Length: 1000']) +
          message(['HTTP/1.1 304 Not Modified', 'Content-Length: 99']),
      ],
    ],
    expected: [
      ...['> GET /1', '. ""', '> POST /2', '. "abc"', '> HEAD /3', '. ""', '> GET /4', '. ""'],
      ...['< 200', '<.', '< 500', '<.', '< 200', '<.', '< 304', '<.'],
    ],
  },
  {
    name: '100-continue',
    pieces: [
      ['>', message(['POST /big HTTP/1.1', HOST, 'Expect: 100-continue', 'Content-Length: 4'])],
      ['<', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['>', 'data'],
      ['<', message(['HTTP/1.1 103 Early Hints', 'Link: </a.css>']) + OK],
    ],
    expected: ['> POST /big', '. "data"', '< 200', '<.'],
  },
  {
    name: 'refused before the body',
    pieces: [
      ['>', message(['POST /big HTTP/1.1', HOST, 'Content-Length: 10'], 'half')],
      ['<', message(['HTTP/1.1 413 Content Too Large', 'Content-Length: 0'])],
      ['>', 'second'],
      ['>', GET],
      ['<', OK],
    ],
    expected: ['> POST /big', '< 413', '<.', '. "halfsecond"', '> GET /', '. ""', '< 200', '<.'],
  },
  {
    name: 'HEAD, 204 and 304 have no body',
    pieces: [
      ['>', message(['HEAD / HTTP/1.1', HOST])],
      ['<', message(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'])],
      ['>', message(['DELETE /1 HTTP/1.1', HOST])],
      ['<', message(['HTTP/1.1 204 No Content'])],
      ['>', message(['GET /2 HTTP/1.1', HOST, 'If-None-Match: "x"'])],
      ['<', message(['HTTP/1.1 304 Not Modified', 'ETag: "x"'])],
    ],
    expected: [
      ...['> HEAD /', '. ""', '< 200', '<.', '> DELETE /1', '. ""', '< 204', '<.'],
      ...['> GET /2', '. ""', '< 304', '<.'],
    ],
  },
  {
    name: 'upgrade to websocket',
    pieces: [
      ['>', message(['GET /ws HTTP/1.1', HOST, 'Connection: Upgrade', 'Upgrade: websocket'])],
      ['<', message(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'], '\x81\x02hi')],
      ['>', '\x81\x82GET / HTTP/1.1\r\n\r\n'],
    ],
    expected: ['> GET /ws', '. ""', '< 101', '<.'],
  },
  {
    name: 'tunnel by CONNECT',
    pieces: [
      ['>', message(['CONNECT db.internal:5432 HTTP/1.1', 'Host: db.internal:5432'])],
      ['<', message(['HTTP/1.1 200 Connection Established'], 'whatever')],
      ['>', GET],
    ],
    expected: ['> CONNECT db.internal:5432', '. ""', '< 200', '<.'],
  },
  {
    name: 'empty lines before requests, absolute and asterisk forms',
    pieces: [
      ['>', `\r\n\r\n${message(['GET http://intra.example/x?y HTTP/1.1', HOST])}`],
      ['<', OK],
      ['>', `\r\n${message(['OPTIONS * HTTP/1.1', HOST])}`],
      ['<', message(['HTTP/1.1 200 OK', 'Allow: GET', 'Content-Length: 0'])],
    ],
    expected: ['> GET http://intra.example/x?y', '. ""', '< 200', '<.', '> OPTIONS *', '. ""', '< 200', '<.'],
  },
  {
    name: 'bare LF and folded lines',
    pieces: [
      ['>', 'POST /lf HTTP/1.1\nHost: a\nX-Fold: one\n  two\nContent-Length:\n 3\n\nabc'],
      ['<', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ],
    expected: ['> POST /lf', '. "abc" (bare-lf obs-fold)', '< 200', '<.'],
  },
  {
    name: 'HTTP/0.9',
    pieces: [
      ['>', 'GET /old\r\n'],
      ['<', '<html>HTTP</html>'],
    ],
    expected: ['> GET /old', '. "" (no-version)', '< 200', '<.'],
  },
  {
    name: 'smuggling by length and chunked',
    pieces: [
      [
        '>',
        message(
          ['POST / HTTP/1.1', HOST, 'Content-Length: 6', 'Transfer-Encoding: chunked'],
          '0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n',
        ),
      ],
      ['<', OK + OK],
    ],
    expected: [
      ...[
        '> POST /',
        '. "" (length-and-transfer-encoding)',
        '> GET /admin',
        '. ""',
        '< 200',
        '<.',
        '< 200',
        '<.',
      ],
    ],
  },
  {
    name: 'conflicting lengths: everything is body until the refusal',
    pieces: [
      ['>', message(['POST / HTTP/1.1', HOST, 'Content-Length: 3', 'Content-Length: 5'], 'abcdefGET')],
      ['<', message(['HTTP/1.1 400 Bad Request', 'Content-Length: 0'])],
      ['>', GET],
      ['<', OK],
    ],
    expected: [
      ...['> POST /', '< 400', '. "abcdefGET" (conflicting-length)', '<.', '> GET /', '. ""', '< 200', '<.'],
    ],
  },
  {
    name: 'obscured transfer coding',
    pieces: [
      ['>', message(['POST / HTTP/1.1', HOST, 'Transfer-Encoding: xchunked', 'Content-Length: 1'], 'a')],
      ['<', message(['HTTP/1.1 501 Not Implemented', 'Content-Length: 0'])],
    ],
    expected: ['> POST /', '< 501', '. "a" (length-and-transfer-encoding odd-transfer-encoding)', '<.'],
  },
  {
    name: 'lengths that are no numbers',
    pieces: [
      ['>', message(['POST / HTTP/1.1', HOST, 'Content-Length: -1'], 'abc')],
      ['<', message(['HTTP/1.1 400 Bad Request', 'Content-Length: 0'])],
    ],
    expected: ['> POST /', '< 400', '. "abc" (invalid-length)', '<.'],
  },
  {
    name: 'an enormous length',
    pieces: [['>', message(['POST / HTTP/1.1', HOST, `Content-Length: ${'9'.repeat(40)}`], 'abc')]],
    expected: ['> POST /', '. "abc" (enormous-length)'],
  },
  {
    name: 'bad chunk size, NUL, bad names',
    pieces: [
      [
        '>',
        message(
          ['POST / HTTP/1.1', HOST, 'Transfer-Encoding : chunked', 'X\x00Y: z', 'no colon'],
          '3\r\nabc\r\nzz\r\nrest',
        ),
      ],
      ['<', message(['HTTP/1.1 400 Bad Request', 'Content-Length: 0'])],
    ],
    expected: [
      ...['> POST /', '< 400'],
      // What follows the byte that broke the chunk is kept: it belongs to this request or to nothing.
      '. "abcz\\r\\nrest" (invalid-chunk-size nul-in-head space-before-colon invalid-header-name header-without-colon)',
      '<.',
    ],
  },
];
