import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { byteString, bytesOf } from '../../base/bytes.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { MAX_PARAMS_BYTES } from './exchange.ts';
import { fastcgi } from './index.ts';
import {
  ABORT_REQUEST,
  BEGIN_REQUEST,
  DATA,
  END_REQUEST,
  GET_VALUES,
  GET_VALUES_RESULT,
  PARAMS,
  readPairs,
  STDERR,
  STDIN,
  STDOUT,
  UNKNOWN_TYPE,
} from './parser.ts';
import { FastcgiConnection, MAX_REQUESTS } from './stream.ts';

testFixtures(fastcgi, join(import.meta.dirname, 'fixtures'));

function record(type: number, id: number, content: string, padding = 0): string {
  const { length } = content;
  const header = [1, type, id >> 8, id & 255, length >> 8, length & 255, padding, 0];
  return String.fromCharCode(...header) + content + '\0'.repeat(padding);
}

function begin(id: number, role = 1, flags = 1): string {
  return record(BEGIN_REQUEST, id, `\0${String.fromCharCode(role, flags)}\0\0\0\0\0`);
}

function length(count: number): string {
  return count < 128
    ? String.fromCharCode(count)
    : String.fromCharCode(0x80 | (count >> 24), (count >> 16) & 255, (count >> 8) & 255, count & 255);
}

function pairs(...variables: readonly (readonly [string, string])[]): string {
  return variables.map(([name, value]) => length(name.length) + length(value.length) + name + value).join('');
}

function ask(id: number, uri: string, body = ''): string {
  const variables = pairs(['REQUEST_METHOD', 'POST'], ['REQUEST_URI', uri]);
  const stdin = body === '' ? '' : record(STDIN, id, body);
  return begin(id) + record(PARAMS, id, variables) + record(PARAMS, id, '') + stdin + record(STDIN, id, '');
}

const END = '\0'.repeat(8);

function answer(id: number, head = 'Status: 201 Created\r\n\r\n'): string {
  return record(STDOUT, id, head) + record(STDOUT, id, '') + record(END_REQUEST, id, END);
}

type Piece = readonly ['>' | '<', string, number?];

function talk(...pieces: readonly Piece[]): WireRecorder & { readonly connection: FastcgiConnection } {
  const recorder = new WireRecorder();
  const connection = new FastcgiConnection(recorder);
  for (const [direction, text, missing] of pieces) {
    if (direction === '>') connection.fromClient(bytesOf(text), missing ?? 0);
    else connection.fromServer(bytesOf(text), missing ?? 0);
  }
  return Object.assign(recorder, { connection });
}

const told = (id: number, uri: string, body = ''): string[] => [
  `${id} request fastcgi POST ${uri}`,
  `${id} request ended, body ${JSON.stringify(body)}`,
];

describe('name-value pairs', () => {
  it('have lengths of one byte or four', () => {
    const long = 'v'.repeat(300);
    const { pairs: found, isCut } = readPairs(bytesOf(pairs(['A', '1'], ['n'.repeat(200), long], ['E', ''])));
    assert.deepEqual(found, [
      ['A', '1'],
      ['n'.repeat(200), long],
      ['E', ''],
    ]);
    assert.equal(isCut, false);
  });

  it('are read as far as they go', () => {
    const whole = pairs(['AB', 'cd'], ['EF', 'gh']);
    for (let end = 7; end < whole.length; end++) {
      const { pairs: found, isCut } = readPairs(bytesOf(whole.slice(0, end)));
      assert.deepEqual(found[0], ['AB', 'cd']);
      assert.equal(isCut, true, `${end}`);
    }
    assert.deepEqual(readPairs(bytesOf('\xff\xff\xff\xff\xff\xff\xff\xffname')).pairs, []);
  });
});

describe('requests and replies', () => {
  it('may be interleaved by their ids', () => {
    const { lines } = talk(
      [
        '>',
        begin(1) + begin(2) + record(PARAMS, 2, pairs(['REQUEST_URI', '/b'], ['REQUEST_METHOD', 'POST']), 3),
      ],
      [
        '>',
        record(PARAMS, 1, pairs(['REQUEST_URI', '/a'], ['REQUEST_METHOD', 'POST'])) + record(PARAMS, 2, ''),
      ],
      ['>', record(PARAMS, 1, '') + record(STDIN, 2, 'two') + record(STDIN, 1, '') + record(STDIN, 2, '')],
      [
        '<',
        answer(2) +
          record(STDERR, 1, 'Status: 500\r\n\r\n') +
          answer(1, 'Content-Type: text/plain\r\n\r\nhello'),
      ],
    );
    assert.deepEqual(lines, [
      ...['2 request fastcgi POST /b', '1 request fastcgi POST /a'],
      // The recorder shows the body of the request that was told last.
      ...['1 request ended, body ""', '2 request ended, body ""'],
      ...['2 response 201', '2 response ended', '1 response 200', '1 response ended'],
    ]);
  });

  it('may have variables and status split over records anywhere', () => {
    const variables = pairs(
      ['REQUEST_METHOD', 'GET'],
      ['REQUEST_URI', '/split'],
      ['HTTP_HOST', 'h'.repeat(200)],
    );
    const head = 'X-A: b\r\nStatus: 418 I am\r\n\r\nbody';
    for (let cut = 1; cut < variables.length; cut++) {
      const { lines, requests } = talk(
        [
          '>',
          begin(1) + record(PARAMS, 1, variables.slice(0, cut)) + record(PARAMS, 1, variables.slice(cut), 5),
        ],
        ['>', record(PARAMS, 1, '') + record(STDIN, 1, '')],
        ['<', record(STDOUT, 1, head.slice(0, cut % 30)) + record(STDOUT, 1, head.slice(cut % 30))],
      );
      assert.deepEqual(lines.slice(0, 1), ['1 request fastcgi GET /split']);
      // A record without content says that no more output comes.
      if (cut % 30 !== 0) assert.equal(lines.at(-1), '1 response 418');
      assert.deepEqual(requests[0]?.headers, [['host', 'h'.repeat(200)]]);
    }
  });

  it('end with the end of the reply, the body read or not', () => {
    const half = ask(1, '/a', 'half').slice(0, -8);
    const { lines } = talk(['>', half], ['<', answer(1)], ['>', record(STDIN, 1, 'late') + ask(1, '/b')]);
    assert.deepEqual(lines, [
      '1 request fastcgi POST /a',
      ...['1 response 201', '1 request ended, body "half"', '1 response ended'],
      ...told(1, '/b'),
    ]);
  });

  it('may be aborted', () => {
    const half = ask(1, '/a', 'half').slice(0, -8);
    const { lines } = talk(['>', half + record(ABORT_REQUEST, 1, '')], ['<', record(END_REQUEST, 1, END)]);
    assert.deepEqual(lines, [...told(1, '/a', 'half'), '1 response ended']);
  });

  it('of authorizers have no body, those of filters have a file besides', () => {
    const variables = record(PARAMS, 1, pairs(['REQUEST_URI', '/a'], ['REQUEST_METHOD', 'POST']));
    assert.deepEqual(talk(['>', begin(1, 2) + variables + record(PARAMS, 1, '')]).lines, told(1, '/a'));
    const filter =
      begin(1, 3) + variables + record(PARAMS, 1, '') + record(STDIN, 1, 'in') + record(STDIN, 1, '');
    assert.deepEqual(
      talk(['>', filter + record(DATA, 1, 'file') + record(DATA, 1, '')]).lines,
      told(1, '/a', 'in'),
    );
  });

  it('stand beside records of management', () => {
    const { lines } = talk(
      ['>', record(GET_VALUES, 0, pairs(['FCGI_MAX_CONNS', ''])) + ask(1, '/a')],
      [
        '<',
        record(GET_VALUES_RESULT, 0, pairs(['FCGI_MAX_CONNS', '1'])) +
          record(UNKNOWN_TYPE, 0, END) +
          answer(1),
      ],
    );
    assert.deepEqual(lines, [...told(1, '/a'), '1 response 201', '1 response ended']);
  });

  it('are over when the connection is', () => {
    const recorder = talk(['>', ask(1, '/a') + begin(2)], ['<', record(STDOUT, 1, 'Status: 500 Oh')]);
    recorder.connection.close();
    assert.deepEqual(recorder.lines, [...told(1, '/a'), '1 response 500', '1 response ended']);
  });

  it('that were not begun are not known', () => {
    assert.deepEqual(talk(['>', record(STDIN, 1, 'x') + record(PARAMS, 7, '')], ['<', answer(1)]).lines, []);
  });
});

describe('parts that were not captured', () => {
  it('are counted through in a body', () => {
    const whole = ask(1, '/a', 'b'.repeat(5000));
    const at = whole.indexOf('bbb') + 100;
    const { lines, requests } = talk(
      ['>', whole.slice(0, at), 4000],
      ['>', whole.slice(at + 4000)],
      ['<', answer(1)],
    );
    assert.equal(lines.length, 4);
    assert.equal(requests[0]?.isTruncated, true);
    assert.equal(requests[0].body.length, 1000);
  });

  it('are counted through in a reply, up to its end', () => {
    const reply = record(STDOUT, 1, `Status: 404\r\n\r\n${'x'.repeat(6000)}`, 1);
    const done = [...told(1, '/a'), '1 response 404', '1 response ended'];
    const left = reply.length - 1000;
    // The end is in what was not captured: with and without a record that says that the output is complete.
    assert.deepEqual(talk(['>', ask(1, '/a')], ['<', reply.slice(0, 1000), left + 16]).lines, done);
    assert.deepEqual(talk(['>', ask(1, '/a')], ['<', reply.slice(0, 1000), left + 24]).lines, done);
    const inStep = talk(
      ['>', ask(1, '/a')],
      ['<', reply.slice(0, 1000), left],
      ['<', record(END_REQUEST, 1, END)],
    );
    assert.deepEqual(inStep.lines, done);
  });

  it('that hide the end of a reply leave it open until the id is used again', () => {
    const reply = record(STDOUT, 1, `Status: 404\r\n\r\n${'x'.repeat(6000)}`);
    const { lines } = talk(
      ['>', ask(1, '/a')],
      ['<', reply.slice(0, 1000), 90_000],
      ['<', '', 3000],
      ['>', ask(1, '/b')],
      ['<', answer(1)],
    );
    assert.deepEqual(lines, [
      ...[...told(1, '/a'), '1 response 404', '1 response ended'],
      ...[...told(1, '/b'), '1 response 201', '1 response ended'],
    ]);
  });

  it('may hide the status', () => {
    const { lines } = talk(['>', ask(1, '/a')], ['<', '', 5000], ['>', ask(1, '/b')], ['<', answer(1)]);
    assert.deepEqual(lines, [
      ...told(1, '/a'),
      '1 response ended',
      ...told(1, '/b'),
      '1 response 201',
      '1 response ended',
    ]);
  });

  it('may cut the variables', () => {
    const variables = pairs(
      ['REQUEST_METHOD', 'GET'],
      ['REQUEST_URI', '/a'],
      ['HTTP_COOKIE', 'c'.repeat(9000)],
    );
    const whole = begin(1) + record(PARAMS, 1, variables) + record(PARAMS, 1, '') + record(STDIN, 1, '');
    const { lines, requests } = talk(
      ['>', whole.slice(0, 8192), whole.length - 8192],
      ['<', answer(1)],
      ['>', ask(1, '/b')],
    );
    assert.deepEqual(lines, [
      '1 request fastcgi GET /a',
      ...['1 response 201', '1 request ended, body ""', '1 response ended'],
      ...told(1, '/b'),
    ]);
    assert.deepEqual(requests[0]?.anomalies, ['cut-head']);
    assert.equal(requests[0].isTruncated, true);
  });

  it('may be whole records of a body', () => {
    const body = record(STDIN, 1, 'x'.repeat(30_000)).repeat(3) + record(STDIN, 1, '');
    const head = ask(1, '/a').slice(0, -8);
    const { lines, requests } = talk(
      ['>', head + body.slice(0, 1000), body.length - 1000],
      ['<', answer(1)],
      ['>', ask(1, '/b')],
    );
    assert.deepEqual(lines.slice(2), [
      '1 request ended, body "' + 'x'.repeat(200) + '"',
      '1 response ended',
      ...told(1, '/b'),
    ]);
    assert.equal(requests[0]?.isTruncated, true);
  });

  it('between requests may be requests', () => {
    const { lines } = talk(
      ['>', ask(1, '/a')],
      ['<', answer(1)],
      ['>', '', 700],
      ['<', answer(1)],
      ['>', ask(1, '/b')],
    );
    assert.deepEqual(lines.slice(4), ['unread', ...told(1, '/b')]);
  });
});

describe('limits', () => {
  it('of variables', () => {
    const variables = pairs(['REQUEST_URI', '/a'], ['HTTP_COOKIE', 'c'.repeat(60_000)]);
    const { requests } = talk(['>', begin(1) + record(PARAMS, 1, variables) + record(PARAMS, 1, '')]);
    assert.deepEqual(requests[0]?.anomalies, ['oversized-head']);
    assert.ok(JSON.stringify(requests[0].headers).length <= MAX_PARAMS_BYTES + 100);
  });

  it('of requests at once', () => {
    const recorder = talk();
    for (let id = 1; id < 1000; id++) recorder.connection.fromClient(bytesOf(ask(id, `/${id}`)), 0);
    assert.equal(recorder.connection.openCount, MAX_REQUESTS);
    assert.equal(recorder.requests.length, 999);
  });

  it('of what is searched for a first request', () => {
    const { connection, lines } = talk();
    for (let count = 0; count < 100; count++) connection.fromClient(new Uint8Array(4096).fill(7), 0);
    assert.equal(connection.isFinished, true);
    assert.deepEqual(lines, ['unread']);
  });
});

describe('recognition', () => {
  const nothing = new Uint8Array(0);
  const client = (text: string, isBeginning = true): string =>
    fastcgi.recognise({ fromClient: bytesOf(text), fromServer: nothing, isBeginning });
  const server = (text: string, isBeginning = false): string =>
    fastcgi.recognise({ fromClient: nothing, fromServer: bytesOf(text), isBeginning });

  it('is certain with the first request, and waits for it', () => {
    const whole = ask(1, '/a');
    for (let end = 0; end < 16; end++) assert.equal(client(whole.slice(0, end)), 'maybe', `${end}`);
    assert.equal(client(whole.slice(0, 16)), 'certain');
    assert.equal(client(record(GET_VALUES, 0, pairs(['FCGI_MPXS_CONNS', '']))), 'certain');
  });

  it('is likely in the middle where records follow each other', () => {
    const whole = ask(3, '/a', 'body');
    assert.equal(client(whole.slice(16), false), 'likely');
    assert.equal(client(whole.slice(16), true), 'no');
    assert.equal(client(record(STDIN, 3, 'x'.repeat(9)), false), 'maybe');
    assert.equal(server(answer(3)), 'likely');
    assert.equal(server(record(STDOUT, 3, 'Content-type: text/html\r\n')), 'likely');
    assert.equal(server(answer(3), true), 'no');
  });

  it('is of nothing else', () => {
    const others = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + 'r'.repeat(32),
      '*1\r\n$4\r\nPING\r\n',
      '\0\0\0\x08\x04\xd2\x16\x2f',
      '\0\x0f\0\0\x0c\0QUERY_STRING\0\0',
      '\x01\x01\0\x01\0\x08\0\0\0\x09\0\0\0\0\0\0',
      '\x01\x01\0\0\0\x08\0\0\0\x01\0\0\0\0\0\0',
      '\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10',
      '\0'.repeat(32),
      '\x01'.repeat(32),
      '\xff'.repeat(32),
    ];
    for (const bytes of others) {
      assert.equal(client(bytes), 'no', JSON.stringify(bytes));
      assert.equal(client(bytes, false), 'no', JSON.stringify(bytes));
      assert.equal(server(bytes), 'no', JSON.stringify(bytes));
    }
  });
});

it('tells bodies that stand in for one another by their stream', () => {
  const { requests } = talk(['>', ask(1, '/a', 'one') + ask(2, '/b', 'two')]);
  assert.deepEqual(
    requests.map(({ body }) => byteString(body)),
    ['one', 'two'],
  );
});
