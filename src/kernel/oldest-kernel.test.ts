import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireKernelRelease } from './oldest-kernel.ts';

test('a kernel is too old for an architecture, or it is not', () => {
  for (const release of ['5.12.0', '5.14.0-427.el9.x86_64', '6.1.0-50-amd64', '10.0'])
    requireKernelRelease(release, 'x64');
  for (const release of ['5.18.0-rc1', '6.1.0-50-arm64']) requireKernelRelease(release, 'arm64');
  for (const release of ['5.10.0-32-amd64', '5.11.22', '4.19', ''])
    assert.throws(() => requireKernelRelease(release, 'x64'), { code: 'TL1003' }, release);
  for (const release of ['5.10.0', '5.15.0-91-generic', '5.17.9'])
    assert.throws(
      () => requireKernelRelease(release, 'arm64'),
      { code: 'TL1003', message: /arm64, 5\.18/ },
      release,
    );
});
