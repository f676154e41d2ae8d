import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseListing, Suite } from './suite.ts';

suite('what a suite says of a package', () => {
  test('is read from the first paragraph', () => {
    const text = [
      'Package: linux-image-amd64',
      'Version: 6.1.170-1',
      'Architecture: amd64',
      'Depends: linux-image-6.1.0-52-amd64 (= 6.1.170-1)',
      'Description: Linux for 64-bit PCs (meta-package)',
      ' Version: of a continued line is none',
    ].join('\n');
    assert.deepEqual(parseListing(text), {
      version: '6.1.170-1',
      architecture: 'amd64',
      depends: 'linux-image-6.1.0-52-amd64 (= 6.1.170-1)',
    });
  });

  test('has a version', () => {
    assert.throws(() => parseListing(''), /no package is described/);
  });
});

test('names that could be options or paths are refused', () => {
  for (const name of ['', '../sid', '-o', 'sid main', 'sid\ndeb x', 'Sid'])
    assert.throws(() => new Suite(name), /no name of a suite/, name);
});
