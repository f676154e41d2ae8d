import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { byteStringFromText } from '../base/bytes.ts';
import { pathOfTarget } from '../base/route.ts';
import { pathMatcher } from './path-pattern.ts';

test('a prefix, a star within a segment, two stars over segments', () => {
  const cases: readonly (readonly [pattern: string, matching: string[], other: string[]])[] = [
    ['/api', ['/api', '/api/x?y', '/apis'], ['/', '/x/api']],
    ['/api/*', ['/api/x', '/api/'], ['/api', '/api/x/y']],
    [
      '/users/*/orders',
      ['/users/4711/orders?page=2'],
      ['/users/orders', '/users/1/2/orders', '/users/1/orders/'],
    ],
    ['/v*/*.php', ['/v1/x.php', '/v/.php'], ['/v1/x.phps', '/v1/a/x.php']],
    ['**/login', ['/login', '/a/b/login', 'login'], ['/login/x', '/xlogin']],
    ['/a/**', ['/a/', '/a/b/c', '/a'], ['/ab']],
    ['/a/**/b/**/c', ['/a/b/c', '/a/x/b/y/b/z/c'], ['/a/c', '/a/b/c/d']],
    ['/größe', ['/größe', '/gr%C3%B6%C3%9Fe'], ['/gr%25C3']],
    ['/ping', ['/%70ing', 'http://host:80/ping?x'], ['http://ping']],
  ];
  for (const [pattern, matching, other] of cases) {
    const matches = pathMatcher(pattern);
    for (const target of matching) assert.ok(matches(byteStringFromText(target)), `${pattern} ${target}`);
    for (const target of other) assert.ok(!matches(byteStringFromText(target)), `${pattern} not ${target}`);
  }
});

test('a hostile path costs little, whatever the pattern', () => {
  const startedAt = performance.now();
  assert.equal(pathMatcher('/**/*a*a*a*a*b/**/*a*a*b')(`/${'a/'.repeat(5000)}${'a'.repeat(8000)}`), false);
  assert.equal(pathMatcher(`/${'*a'.repeat(20)}b`)('/' + 'a'.repeat(16_000)), false);
  assert.ok(performance.now() - startedAt < 2000);
});

test('targets that are no paths', () => {
  assert.deepEqual(['*', 'example.com:443', '', 'http://h', '/a#b?c', 'HTTPS://h/x'].map(pathOfTarget), [
    '*',
    'example.com:443',
    '',
    '/',
    '/a',
    '/x',
  ]);
});
