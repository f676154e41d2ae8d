import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { byteString, bytesOf } from '../../base/bytes.ts';
import { testFixtures, WireRecorder } from '../testing.ts';
import { uwsgi } from './index.ts';
import { readVariables } from './parser.ts';
import { MAX_VARIABLE_BYTES } from './requests.ts';
import { UwsgiConnection } from './stream.ts';

testFixtures(uwsgi, join(import.meta.dirname, 'fixtures'));

function size(count: number): string {
  return String.fromCharCode(count & 255, count >> 8);
}

function block(...variables: readonly (readonly [string, string])[]): string {
  return variables.map(([name, value]) => size(name.length) + name + size(value.length) + value).join('');
}

function packet(variables: string, modifier1 = 0): string {
  return `${String.fromCharCode(modifier1)}${size(variables.length)}\0${variables}`;
}

function ask(uri: string, body = ''): string {
  const length: [string, string] = ['CONTENT_LENGTH', body === '' ? '' : String(body.length)];
  return packet(block(['REQUEST_METHOD', 'POST'], ['REQUEST_URI', uri], length)) + body;
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n';

type Piece = readonly ['>' | '<', string, number?];

function talk(...pieces: readonly Piece[]): WireRecorder & { readonly connection: UwsgiConnection } {
  const recorder = new WireRecorder();
  const connection = new UwsgiConnection(recorder);
  for (const [direction, text, missing] of pieces) {
    if (direction === '>') connection.fromClient(bytesOf(text), missing ?? 0);
    else connection.fromServer(bytesOf(text), missing ?? 0);
  }
  return Object.assign(recorder, { connection });
}

const told = (uri: string, body = ''): string[] => [
  `request uwsgi POST ${uri}`,
  `request ended, body ${JSON.stringify(body)}`,
];

describe('variables', () => {
  it('are read as far as they go', () => {
    const whole = block(['AB', 'cd'], ['EF', 'gh']);
    const read = (end: number) => readVariables(bytesOf(`\0\0\0\0${whole.slice(0, end)}`), 4, 4 + end);
    assert.deepEqual(read(whole.length), {
      variables: [
        ['AB', 'cd'],
        ['EF', 'gh'],
      ],
      isCut: false,
    });
    for (let end = 9; end < whole.length; end++) {
      assert.deepEqual(read(end).variables[0], ['AB', 'cd']);
      assert.equal(read(end).isCut, true);
    }
  });
});

describe('requests and replies', () => {
  it('follow each other on a connection that is kept', () => {
    const recorder = talk(
      ['>', ask('/a', 'one')],
      ['<', `${OK}first`],
      ['>', ask('/b')],
      ['<', 'HTTP/1.0 404 No\r\n\r\n'],
    );
    recorder.connection.close();
    assert.deepEqual(recorder.lines, [
      ...[...told('/a', 'one'), 'response 200', 'response ended'],
      ...[...told('/b'), 'response 404', 'response ended'],
    ]);
  });

  it('have the headers and the client that the web server tells', () => {
    const variables = block(['HTTP_X_API_KEY', 'k'], ['REMOTE_ADDR', '203.0.113.9'], ['UWSGI_SCRIPT', 'app']);
    assert.deepEqual(talk(['>', packet(variables)]).requests[0]?.headers, [
      ['x-api-key', 'k'],
      ['remote_addr', '203.0.113.9'],
    ]);
  });

  it('of other languages look the same', () => {
    assert.deepEqual(
      talk(['>', packet(block(['REQUEST_METHOD', 'POST'], ['REQUEST_URI', '/psgi']), 5)]).lines,
      told('/psgi'),
    );
  });

  it('of no variables at all are requests still', () => {
    assert.deepEqual(talk(['>', packet('')]).lines, ['request uwsgi  ', 'request ended, body ""']);
  });

  it('with a length that does not fit are flagged', () => {
    const { requests } = talk(['>', packet(`${block(['REQUEST_URI', '/a'])}\x09\0SHORT`)]);
    assert.equal(requests[0]?.target, '/a');
    assert.deepEqual(requests[0].anomalies, ['length-mismatch']);
  });

  it('may go on as a WebSocket', () => {
    const head = 'HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\n\r\n';
    const whole = `${head}\x81\x02hi`;
    for (let cut = 1; cut < head.length; cut++) {
      const { connection, lines } = talk(
        ['>', ask('/ws')],
        ['<', whole.slice(0, cut)],
        ['<', whole.slice(cut)],
      );
      assert.deepEqual(lines, [...told('/ws'), 'response 101', 'response ended']);
      assert.equal(connection.handOver?.protocol, 'websocket');
      assert.equal(byteString(connection.handOver.fromServer), '\x81\x02hi');
    }
    const other = talk(['>', ask('/')], ['<', 'HTTP/1.1 101 X\r\nUpgrade: other\r\n\r\n']);
    assert.equal(other.connection.isFinished, true);
    assert.equal(other.connection.handOver, null);
  });

  it('end where something else is spoken', () => {
    const { connection, lines } = talk(['>', `${ask('/a')}\x04\x01\0\0x`]);
    assert.equal(connection.isFinished, true);
    assert.deepEqual(lines, told('/a'));
  });
});

describe('parts that were not captured', () => {
  it('are counted through in a body', () => {
    const { lines, requests } = talk(
      ['>', ask('/a', 'b'.repeat(500)).slice(0, -400), 400],
      ['<', OK, 9000],
      ['>', ask('/b')],
    );
    assert.deepEqual(lines, [
      ...told('/a', 'b'.repeat(100)),
      'response 200',
      'response ended',
      ...told('/b'),
    ]);
    assert.equal(requests[0]?.isTruncated, true);
  });

  it('beyond a body may be requests', () => {
    const { lines } = talk(['>', ask('/a', 'body').slice(0, -2), 90], ['<', OK], ['>', ask('/b')]);
    assert.deepEqual(lines, [...told('/a', 'bo'), 'unread', 'response 200', 'response ended', ...told('/b')]);
  });

  it('may cut the variables: the request ends with its reply', () => {
    const long: [string, string] = ['HTTP_COOKIE', 'c'.repeat(9000)];
    const whole = packet(block(['REQUEST_URI', '/a'], long, ['REQUEST_METHOD', 'GET']));
    const { lines, requests } = talk(
      ['>', whole.slice(0, 8192), whole.length - 8192],
      ['<', OK],
      ['>', ask('/b')],
    );
    assert.deepEqual(lines, [
      'request uwsgi  /a',
      'request ended, body ""',
      'response 200',
      'response ended',
      ...told('/b'),
    ]);
    assert.deepEqual(requests[0]?.anomalies, ['cut-head']);
  });

  it('may cut the variables after the length of the body', () => {
    const rest: [string, string] = ['HTTP_COOKIE', 'c'.repeat(300)];
    const whole = packet(
      block(['REQUEST_METHOD', 'POST'], ['REQUEST_URI', '/a'], ['CONTENT_LENGTH', '4'], rest),
    );
    const cut = whole.slice(0, 100);
    const inBody = talk(['>', cut, whole.length - 100 + 1], ['>', 'ody'], ['<', OK]);
    assert.deepEqual(inBody.lines, [...told('/a', 'ody'), 'response 200']);
    const inHead = talk(['>', cut, 20], ['>', whole.slice(120)], ['<', OK], ['>', ask('/b')]);
    assert.deepEqual(inHead.lines, [...told('/a'), 'response 200', 'response ended', ...told('/b')]);
  });

  it('may hide the status', () => {
    const { lines } = talk(
      ['>', ask('/a')],
      ['<', '', 500],
      ['<', 'HTTP/1.1 500 in the body'],
      ['>', ask('/b')],
    );
    assert.deepEqual(lines, [...told('/a'), 'response ended', ...told('/b')]);
  });
});

it('keeps a bounded part of the variables and of the body', () => {
  const variables = block(
    ['REQUEST_URI', '/a'],
    ['CONTENT_LENGTH', '50000'],
    ['HTTP_COOKIE', 'c'.repeat(60_000)],
  );
  const { requests } = talk(['>', packet(variables) + 'b'.repeat(50_000)], ['<', OK]);
  assert.deepEqual(requests[0]?.anomalies, ['oversized-head']);
  assert.ok(JSON.stringify(requests[0].headers).length <= MAX_VARIABLE_BYTES + 100);
  assert.ok(requests[0].body.length <= 8192);
});

describe('recognition', () => {
  const judge = (client: string, server = '', isBeginning = true): string =>
    uwsgi.recognise({ fromClient: bytesOf(client), fromServer: bytesOf(server), isBeginning });

  it('is certain with the first name of a request', () => {
    const whole = ask('/a');
    for (let end = 0; end < 20; end++) assert.equal(judge(whole.slice(0, end)), 'maybe', `${end}`);
    assert.equal(judge(whole.slice(0, 20)), 'certain');
    assert.equal(judge(whole, '', false), 'certain');
    assert.equal(judge(packet(block(['UWSGI_FILE', '/app.py'], ['PATH_INFO', '/']))), 'certain');
  });

  it('is of nothing else', () => {
    const others = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + 'r'.repeat(32),
      '\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0',
      '*1\r\n$4\r\nPING\r\n',
      // PostgreSQL, MySQL, DNS over TCP, a frame of HTTP/2, MongoDB.
      '\0\0\0\x08\x04\xd2\x16\x2f',
      '\x05\0\0\0\x0a8.0.36\0',
      '\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01',
      '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64',
      '\x06\0\0\0\0\0\0\0\x05AAAAA\0',
      '\0'.repeat(64),
      '\x09'.repeat(64),
      packet('\x04\0NAME\x01\0x'),
      packet('\x04\0NA E\x01\0x'),
    ];
    for (const bytes of others) assert.equal(judge(bytes), 'no', JSON.stringify(bytes));
    assert.equal(judge('', '220 ready\r\n'), 'no');
  });
});
