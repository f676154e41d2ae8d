import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directoryLeft, hasParentSegment, isUnder, normalisePath } from './path.ts';

test('normalisePath', () => {
  const table = [
    ['/a/b/../c', '/a/c'],
    ['/a//b/./c/', '/a/b/c'],
    ['/..', '/'],
    ['/../a', '/a'],
    ['a/../../b', '../b'],
    ['../../a', '../../a'],
    ['..a/b..', '..a/b..'],
    ['', ''],
    ['.', ''],
    ['/', '/'],
  ] as const;
  for (const [path, expected] of table) assert.equal(normalisePath(path), expected, path);
});

test('hasParentSegment', () => {
  for (const path of ['..', '../a', 'a/..', 'a/../b', '/..', 'a.../../b'])
    assert.ok(hasParentSegment(path), path);
  for (const path of ['', '.', '...', 'a..b', 'a../b', '..a/b', 'a/..b'])
    assert.ok(!hasParentSegment(path), path);
});

test('isUnder', () => {
  assert.ok(isUnder('/a/b', '/a'));
  assert.ok(isUnder('/a', '/a'));
  assert.ok(!isUnder('/ab', '/a'));
  assert.ok(isUnder('/a', '/'));
  assert.ok(isUnder('a', ''));
  assert.ok(!isUnder('../a', ''));
  assert.ok(isUnder('..a', ''));
});

test('directoryLeft', () => {
  const table = [
    ['/srv/files/../../etc/x', 11, '', '/srv/files'],
    ['/srv/files/a/../b', 11, '', null],
    ['/srv/files/../files/b', 11, '', null],
    ['/srv/files/../etc', 10, '', '/srv/files'],
    ['/srv/img_../../etc', 9, '', null],
    ['/../../etc', 0, '', null],
    ['/../../etc', 1, '', null],
    ['../etc', 0, '/srv/app', '/srv/app'],
    ['../etc', 0, '', ''],
    ['../app/x', 0, '/srv/app', null],
    ['public/../../x', 7, '', 'public'],
  ] as const;
  for (const [path, offset, directory, expected] of table) {
    assert.equal(directoryLeft(path, offset, directory), expected, `${path} from ${offset}`);
  }
});
