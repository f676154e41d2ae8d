import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { OpenEffect } from '../../model/effect.ts';
import type { Detection } from '../../model/finding.ts';
import type { Request } from '../../model/request.ts';
import {
  fastestMs,
  makeInput,
  makeOpen,
  makeProcess,
  makeRequest,
  percentEncode,
  requestWith,
} from '../testing.ts';
import { createPathTraversal } from './index.ts';

const ENOENT = 2;
const EACCES = 13;

function detect(effect: OpenEffect, detector = createPathTraversal()): Detection | undefined {
  const detections = detector.onEffect?.(effect) ?? [];
  assert.ok(detections.length <= 1);
  return detections[0];
}

function verdict(effect: OpenEffect, detector = createPathTraversal()): string {
  return detect(effect, detector)?.verdict ?? 'nothing';
}

/** A detector that has seen a server do without the file in question. */
function settled(requests = 5): ReturnType<typeof createPathTraversal> {
  const detector = createPathTraversal();
  for (let index = 0; index < requests; index++) detector.onRequest?.(makeRequest({ target: '/' }));
  return detector;
}

/** Value, path as passed, resolved path: the application concatenates. */
const PASSED: readonly (readonly [value: string, path: string, resolved: string])[] = [
  ['../../../etc/passwd', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['../../../etc/shadow', '/srv/files/../../../etc/shadow', '/etc/shadow'],
  ['../secret.txt', '/srv/files/../secret.txt', '/srv/secret.txt'],
  ['a/../../secret.txt', '/srv/files/a/../../secret.txt', '/srv/secret.txt'],
  ['/../../etc/passwd', '/srv/files/../../etc/passwd', '/etc/passwd'],
  ['../../../../etc/passwd', 'public/../../../../etc/passwd', '/etc/passwd'],
  ['../../../etc/passwd', '../../../etc/passwd', '/etc/passwd'],
  ['../../config', '/srv/www/lang/../../config.php', '/srv/config.php'],
  ['../../other', '/srv/www/lang/../../other/messages.json', '/srv/other/messages.json'],
  ['....//....//....//etc/passwd', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['..././..././..././etc/passwd', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['..\\..\\..\\etc\\passwd', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['../../../etc/passwd\0.png', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['..;/..;/..;/etc/passwd', '/srv/files/../../../etc/passwd', '/etc/passwd'],
  ['images/../../app.js', '/srv/www/images/../../app.js', '/srv/app.js'],
  ['../../x.txt', '/srv/files/prefix_/../../../x.txt', '/x.txt'],
];

for (const [value, path, resolved] of PASSED) {
  test(`attack, concatenated: ${JSON.stringify(value)} opens ${path}`, () => {
    const detection = detect(makeOpen(path, resolved, [requestWith(value)]));
    assert.equal(detection?.verdict, 'EXPLOITED');
    const evidence = detection.evidence[0];
    assert.equal(evidence?.sink, 'path');
    assert.equal(path.slice(evidence.offset, evidence.offset + evidence.value.length), evidence.value);
    assert.match(evidence.note, /lead out of/);
  });
}

/** Value, path as passed, resolved path: the framework normalises first, or the value is the path. */
const NORMALISED: readonly (readonly [value: string, path: string, resolved?: string])[] = [
  ['../../../../etc/passwd', '/etc/passwd'],
  ['..\\..\\..\\etc\\passwd', '/etc/passwd'],
  ['images/../../../../etc/shadow', '/etc/shadow'],
  ['../../../proc/self/environ', '/proc/self/environ', '/proc/812/environ'],
  ['../../../home/app/.ssh/id_rsa', '/home/app/.ssh/id_rsa'],
  ['../../../root/.bash_history', '/root/.bash_history'],
  [
    '../../../var/run/secrets/kubernetes.io/serviceaccount/token',
    '/var/run/secrets/kubernetes.io/serviceaccount/token',
    '/run/secrets/kubernetes.io/serviceaccount/..2026/token',
  ],
  ['../../.env', '/srv/.env'],
  ['../../.git/config', '/srv/.git/config'],
  ['../wp-config.php', '/var/www/html/wp-config.php'],
  ['/etc/passwd', '/etc/passwd'],
  ['/var/www/images/../../../etc/passwd', '/etc/passwd'],
  ['file:///etc/passwd', '/etc/passwd'],
  ['file://localhost/etc/passwd', '/etc/passwd'],
  ['php://filter/convert.base64-encode/resource=/etc/passwd', '/etc/passwd'],
  ['php://filter/convert.base64-encode/resource=../wp-config.php', '/var/www/html/wp-config.php'],
  ['/etc/passwd\0.png', '/etc/passwd'],
];

for (const [value, path, resolved] of NORMALISED) {
  test(`attack, normalised: ${JSON.stringify(value)} opens ${path}`, () => {
    const effect = makeOpen(path, resolved ?? path, [requestWith(value)]);
    assert.equal(verdict(effect, settled()), 'EXPLOITED');
  });
}

/** The same payloads handled safely: what is opened instead, by design or by chance. */
const SAFE: readonly (readonly [name: string, value: string, path: string, resolved?: string])[] = [
  ['base name only', '../../../etc/passwd', '/srv/files/passwd'],
  ['dots stripped', '../../../etc/passwd', '/srv/files/etc/passwd'],
  ['rooted', '../../../etc/shadow', '/srv/files/etc/shadow'],
  ['a library', '../../../etc/passwd', '/usr/lib/x86_64-linux-gnu/libc.so.6'],
  ['another sensitive file', '../../../etc/shadow', '/etc/passwd'],
  ['stays inside', 'a/../b.txt', '/srv/files/a/../b.txt', '/srv/files/b.txt'],
  ['comes back', '../files/b.txt', '/srv/files/../files/b.txt', '/srv/files/b.txt'],
  ['inside by a link', 'x/../../b.txt', '/srv/files/x/../../b.txt', '/srv/files/b.txt'],
  ['dots of the application', 'b.txt', '/srv/app/../files/b.txt', '/srv/files/b.txt'],
  ['encoded to a name', '../x.txt', '/srv/files/..%2fx.txt'],
  ['hashed to a name', '../../../etc/passwd', '/srv/files/d41d8cd98f00b204'],
  ['an error page', '../../../etc/passwd', '/srv/app/errors/404.html'],
  ['its own file', '../../../etc/passwd', '/srv/app/package.json'],
];

for (const [name, value, path, resolved] of SAFE) {
  test(`safe twin, ${name}: ${JSON.stringify(value)} opens ${path}`, () => {
    const effect = makeOpen(path, resolved ?? path, [requestWith(value)]);
    assert.equal(verdict(effect, settled()), 'nothing');
    assert.equal(verdict({ ...effect, error: ENOENT }, settled()), 'nothing');
  });
}

/** Target, path as passed, resolved path. */
const ORDINARY: readonly (readonly [target: string, path: string, resolved?: string])[] = [
  ['/', '/srv/app/index.html'],
  ['/static/app.js', '/srv/app/static/app.js'],
  ['/static/../static/app.js', '/srv/app/static/../static/app.js', '/srv/app/static/app.js'],
  ['/a/b/../c.js', '/srv/app/a/b/../c.js', '/srv/app/a/c.js'],
  ['/app/a/b/../c.js', '/srv/a/b/../c.js', '/srv/a/c.js'],
  ['/download?file=report.pdf', '/srv/files/report.pdf'],
  ['/download?file=2026%2Fjan%2Freport.pdf', '/srv/files/2026/jan/report.pdf'],
  ['/download?file=%2Fsrv%2Ffiles%2Freport.pdf', '/srv/files/report.pdf'],
  ['/open?path=/data/photos/1.jpg', '/data/photos/1.jpg'],
  ['/x?q=wait...what', '/srv/app/wait.txt'],
  ['/x?range=1..10', '/srv/app/1..10'],
  ['/x?v=v1..v2', '/srv/app/v1..v2.diff'],
  ['/x?name=passwd', '/etc/passwd'],
  ['/x?u=root', '/etc/passwd'],
  ['/etc/hosts', '/srv/app/etc/hosts'],
  ['/x?next=/etc/x', '/etc/nsswitch.conf'],
  ['/x?return=../home', '/srv/app/views/home.html'],
  ['/.well-known/x', '/srv/app/.well-known/x'],
  ['/.env', '/srv/app/.env'],
  ['/files/..%2fapp.js', '/srv/files/../app.js', '/srv/app.js'],
  ['/files/a%2f..%2fb.txt', '/srv/files/a/../b.txt', '/srv/files/b.txt'],
  ['/x?u=https://example.com/etc/passwd', '/etc/passwd'],
];

for (const [target, path, resolved] of ORDINARY) {
  test(`ordinary: ${target} opens ${path}`, () => {
    assert.equal(verdict(makeOpen(path, resolved ?? path, [makeRequest({ target })]), settled()), 'nothing');
  });
}

test('the path of the target climbs: a server that maps it onto files', () => {
  const table: readonly (readonly [target: string, path: string, resolved: string])[] = [
    ['/cgi-bin/.%2e/.%2e/.%2e/etc/passwd', '/etc/passwd', '/etc/passwd'],
    ['/cgi-bin/../../../etc/passwd', '/usr/lib/cgi-bin/../../../etc/passwd', '/etc/passwd'],
    ['/static/../../../etc/passwd', '/srv/public/../../../etc/passwd', '/etc/passwd'],
    ['/static../app.py', '/srv/static/../app.py', '/srv/app.py'],
    ['/%252e%252e/%252e%252e/etc/passwd', '/etc/passwd', '/etc/passwd'],
    ['/files/..%2fsecret.txt', '/srv/uploads/../secret.txt', '/srv/secret.txt'],
    ['/files/..%2f..%2fx.txt', '/srv/files/../../x.txt', '/x.txt'],
  ];
  for (const [target, path, resolved] of table) {
    assert.equal(
      verdict(makeOpen(path, resolved, [makeRequest({ target })]), settled()),
      'EXPLOITED',
      target,
    );
  }
});

test('every way in: form, JSON, cookie, header, multipart', () => {
  for (const location of ['form', 'json', 'multipart'] as const) {
    const request = makeRequest({ body: 'f=../../etc/x', inputs: [makeInput('../../etc/x', location)] });
    assert.equal(verdict(makeOpen('/a/b/../../etc/x', '/etc/x', [request])), 'EXPLOITED', location);
  }
  for (const location of ['cookie', 'header'] as const) {
    const request = makeRequest({
      headers: [['x-file', '../../etc/x']],
      inputs: [makeInput('../../etc/x', location, 'x-file')],
    });
    assert.equal(verdict(makeOpen('/a/b/../../etc/x', '/etc/x', [request])), 'EXPLOITED', location);
  }
  const twice = makeRequest({ target: `/x?f=${percentEncode(percentEncode('../../etc/x'))}` });
  assert.equal(verdict(makeOpen('/a/b/../../etc/x', '/etc/x', [twice])), 'EXPLOITED');
});

test('an open that failed', () => {
  const effect = makeOpen('/srv/files/../../etc/x', '/etc/x', [requestWith('../../etc/x')]);
  assert.equal(verdict({ ...effect, error: ENOENT }), 'PROBED');
  assert.equal(verdict({ ...effect, error: EACCES }), 'SUSPICIOUS');
  assert.equal(verdict({ ...effect, error: 1 }), 'SUSPICIOUS');
  assert.equal(verdict({ ...effect, error: 18 }), 'PROBED');
  const shadow = makeOpen('/etc/shadow', '/etc/shadow', [requestWith('/etc/shadow')], { error: EACCES });
  assert.equal(verdict(shadow), 'SUSPICIOUS');
});

test('severity by what was opened', () => {
  const severity = (value: string, path: string, changes: Partial<OpenEffect> = {}): string | undefined =>
    detect(makeOpen(path, path, [requestWith(value)], changes))?.severity;
  assert.equal(severity('../../etc/shadow', '/etc/shadow'), 'critical');
  assert.equal(severity('../../etc/passwd', '/etc/passwd'), 'high');
  assert.equal(severity('../../etc/hosts', '/etc/hosts'), 'medium');
  assert.equal(severity('../../etc/hosts', '/etc/hosts', { isWrite: true }), 'critical');
  assert.equal(severity('../../etc/hosts', '/etc/hosts', { error: ENOENT }), 'low');
});

test('include of a file by PHP is file inclusion', () => {
  const process = makeProcess({ executable: '/usr/sbin/php-fpm8.2' });
  const effect = makeOpen('/srv/lang/../../x.php', '/x.php', [requestWith('../../x')], { process });
  assert.deepEqual(detect(effect)?.cwe, [98, 22]);
});

test('what a C library opens for a child is no proof', () => {
  const process = makeProcess({ pid: 7, executable: '/usr/bin/ls' });
  const effect = makeOpen('/etc/passwd', '/etc/passwd', [requestWith('../../etc/passwd')], { process });
  assert.equal(verdict(effect), 'nothing');
  const passed = makeOpen('/srv/../../etc/passwd', '/etc/passwd', [requestWith('../../etc/passwd')], {
    process,
  });
  assert.equal(verdict(passed), 'EXPLOITED');
});

test('what an application opens for every request is no proof', () => {
  const path = '/var/www/html/wp-config.php';
  const attack = requestWith('../wp-config.php');
  assert.equal(verdict(makeOpen(path, path, [attack])), 'SUSPICIOUS', 'its routine is not known yet');
  const detector = settled();
  for (let count = 0; count < 2; count++) detector.onEffect?.(makeOpen(path, path, [makeRequest()]));
  assert.equal(verdict(makeOpen(path, path, [attack]), detector), 'nothing');
  assert.equal(verdict(makeOpen('/srv/.env', '/srv/.env', [requestWith('../.env')]), detector), 'EXPLOITED');
});

test('attacks teach no routine', () => {
  const detector = settled();
  const attack = requestWith('../../etc/shadow');
  for (let count = 0; count < 5; count++) {
    assert.equal(verdict(makeOpen('/etc/shadow', '/etc/shadow', [attack]), detector), 'EXPLOITED');
    detector.onEffect?.(makeOpen('/etc/shadow', '/etc/shadow', [requestWith('../../etc/other')]));
  }
});

test('ambiguous: the bytes name the request; identical attacks name none', () => {
  const attack = requestWith('../../etc/x');
  const open = (...by: readonly Request[]): Detection | undefined =>
    detect(makeOpen('/a/b/../../etc/x', '/etc/x', by));
  const named = open(requestWith('b'), attack, requestWith('../c/d'));
  assert.equal(named?.request, attack);
  const shared = open(requestWith('../../etc/x'), requestWith('b'), attack);
  assert.equal(shared?.verdict, 'EXPLOITED');
  assert.equal(shared.request, null);
});

test('a request without dots is never decoded', () => {
  const plain = makeRequest({
    target: '/api/users?id=7&q=two+words',
    headers: [
      ['accept', '*/*'],
      ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
    ],
  });
  const message = Object.defineProperty({ ...plain.message }, 'inputs', {
    get: () => assert.fail('decoded'),
  });
  assert.equal(verdict(makeOpen('/usr/lib/libc.so', '/usr/lib/libc.so', [{ ...plain, message }])), 'nothing');
});

const bytes = fc.uint8Array({ maxLength: 100 }).map((value) => Buffer.from(value).toString('latin1'));
const pathLike = fc
  .array(
    fc.constantFrom('..', '.', '/', '//', '\\', '\0', 'etc', 'passwd', '%2e', ';', 'file://', 'a', '....//'),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));
const value = fc.oneof(bytes, pathLike);

test('any needles in any paths: never throws', () => {
  const errors = fc.constantFrom(0, 0, ENOENT, EACCES);
  const directories = fc.constantFrom('', '/', '/srv/app', 'x');
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 4 }),
      value,
      value,
      errors,
      directories,
      (values, before, resolved, error, workingDirectory) => {
        const request = makeRequest({ target: `/${before}`, inputs: values.map((one) => makeInput(one)) });
        const process = makeProcess({ workingDirectory });
        const detector = createPathTraversal();
        for (const path of [...values, before + values.join(''), before, resolved]) {
          for (const detection of detector.onEffect?.(
            makeOpen(path, resolved, [request], { process, error }),
          ) ?? []) {
            const evidence = detection.evidence[0];
            assert.ok(evidence !== undefined);
            if (evidence.offset !== -1) {
              assert.equal(
                evidence.sinkValue?.substr(evidence.offset, evidence.value.length),
                evidence.value,
              );
            }
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a path that stays in its directory is nothing, whatever the value', () => {
  fc.assert(
    fc.property(pathLike, (one) => {
      const path = `/srv/files/${one.replaceAll('\0', '')}`;
      const resolved = `/srv/files/${one.replaceAll('\0', '').replaceAll('..', '')}`;
      assert.equal(verdict(makeOpen(path, resolved, [makeRequest({ inputs: [makeInput(one)] })])), 'nothing');
    }),
    { numRuns: 1000 },
  );
});

test('linear time on long hostile values', () => {
  const needles = [
    '../'.repeat(2700),
    `${'../'.repeat(1300)}x${'../'.repeat(1300)}`,
    '....//'.repeat(1300),
    '\\..'.repeat(2700),
    '/'.repeat(8192),
  ];
  const paths = ['../'.repeat(10_000), '/'.repeat(32_000), `/srv/${'a/../'.repeat(6000)}`];
  for (const needle of needles) {
    const request = makeRequest({ inputs: [makeInput(needle)] });
    for (const path of paths) {
      const took = fastestMs(() => void detect(makeOpen(path, path, [request])));
      assert.ok(took < 50, `${needle.slice(0, 6)} in ${path.slice(0, 6)}: ${took.toFixed(1)} ms`);
    }
  }
});
