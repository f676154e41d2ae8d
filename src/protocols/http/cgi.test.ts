import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { CgiRequest, cgiStatus, type Variable } from './cgi.ts';

const FROM_NGINX: readonly Variable[] = [
  ['QUERY_STRING', 'id=1%20or&x=2'],
  ['REQUEST_METHOD', 'POST'],
  ['CONTENT_TYPE', 'application/json'],
  ['CONTENT_LENGTH', '19'],
  ['SCRIPT_NAME', '/index.php'],
  ['REQUEST_URI', '/shop/7?id=1%20or&x=2'],
  ['DB_PASSWORD', 'hunter2'],
  ['SCRIPT_FILENAME', '/srv/shop/index.php'],
  ['REMOTE_ADDR', '203.0.113.9'],
  ['REMOTE_PORT', '40001'],
  ['REMOTE_USER', ''],
  ['HTTP_HOST', 'shop.example'],
  ['HTTP_X_FORWARDED_FOR', '198.51.100.7'],
  ['HTTP_COOKIE', 'theme=dark'],
  ['HTTP_CONTENT_TYPE', 'application/json'],
];

describe('requests passed on as variables', () => {
  it('have the method, target and headers that the client sent, then the server variables', () => {
    const message = new CgiRequest('fastcgi', FROM_NGINX, false);
    assert.equal(message.method, 'POST');
    assert.equal(message.target, '/shop/7?id=1%20or&x=2');
    assert.equal(message.contentLength, 19);
    assert.deepEqual(message.headers, [
      ['content-type', 'application/json'],
      ['content-length', '19'],
      ['host', 'shop.example'],
      ['x-forwarded-for', '198.51.100.7'],
      ['cookie', 'theme=dark'],
      ['query_string', 'id=1%20or&x=2'],
      ['script_name', '/index.php'],
      ['script_filename', '/srv/shop/index.php'],
      ['remote_addr', '203.0.113.9'],
      ['remote_port', '40001'],
    ]);
    assert.ok(message.head.startsWith('POST /shop/7?id=1%20or&x=2\r\ncontent-type: application/json\r\n'));
    assert.ok(message.head.endsWith('remote_port: 40001\r\n\r\n'));
  });

  it('keep the site configuration, which holds secrets, to themselves', () => {
    const message = new CgiRequest('fastcgi', FROM_NGINX, false);
    assert.ok(!JSON.stringify([message.headers, message.head, message.inputs]).includes('hunter2'));
  });

  it('have the inputs that the same request has in HTTP/1, and none of the web server', () => {
    const message = new CgiRequest('uwsgi', FROM_NGINX, false);
    const body = bytesOf('{"user":{"id":"a"}}');
    message.appendBody(body, 0, body.length);
    assert.deepEqual(
      message.inputs.map(({ location, name, value }) => `${location} ${name}=${value}`),
      [
        ...['query id=1%20or', 'query x=2', 'json user.id=a', 'path =shop', 'path =7'],
        ...['header host=shop.example', 'header x-forwarded-for=198.51.100.7', 'cookie theme=dark'],
      ],
    );
  });

  it('put the target together where the web server does not tell it', () => {
    const target = (...variables: Variable[]) => new CgiRequest('fastcgi', variables, false).target;
    const script: Variable = ['SCRIPT_NAME', '/a.php'];
    assert.equal(target(script), '/a.php');
    assert.equal(target(script, ['PATH_INFO', '/b'], ['QUERY_STRING', 'x=1']), '/a.php/b?x=1');
    assert.equal(target(), '');
  });

  it('take a length only where it is a number, and the last one of a name', () => {
    const length = (...values: string[]) =>
      new CgiRequest(
        'uwsgi',
        values.map((value): Variable => ['CONTENT_LENGTH', value]),
        false,
      ).contentLength;
    assert.equal(length('12'), 12);
    assert.equal(length('12', '13'), 13);
    assert.equal(length(''), 0);
    assert.equal(length('-1'), 0);
    assert.equal(length('1e3'), 0);
    assert.equal(length(), 0);
  });
});

describe('status of a CGI reply', () => {
  const cases: readonly (readonly [head: string, status: number])[] = [
    ['Content-Type: text/html\r\n\r\n', 200],
    ['Status: 404 Not Found\r\nContent-Type: text/html\r\n\r\n', 404],
    ['Content-Type: text/html\nstatus:503\n\n', 503],
    ['Location: https://elsewhere.example/\r\n\r\n', 302],
    ['Location: https://elsewhere.example/\r\nStatus: 301 Moved\r\n\r\n', 301],
    ['Location: /local\r\n\r\n', 200],
    ['Status: what\r\n\r\n', 200],
    ['X: 1\r\n\r\nStatus: 500\r\n', 200],
    ['', 200],
  ];
  for (const [head, status] of cases) {
    it(`${JSON.stringify(head)} is ${status}`, () => {
      assert.equal(cgiStatus(head), status);
    });
  }
});
