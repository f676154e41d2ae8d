import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf, probeHitsIn } from './probe-hits.ts';

const LAST_WORDS = `Throughline attached
2.5 s: 1,204 events, 1 request, 0 findings, nothing lost
12,345 probe hits in event loop of Node.js (/srv/node)
1 probe hit in built-in OpenSSL (/srv/node)
900 probe hits in event loop of Node.js (/usr/bin/node)
7 probe hits in OpenSSL (/opt/a (copy)/libssl.so.3)
`;

test("only hits in the server's own files count", () => {
  assert.equal(probeHitsIn(new Set(['/srv/node', '/lib/libc.so.6']), LAST_WORDS), 12_346);
  assert.equal(probeHitsIn(new Set(['/opt/a (copy)/libssl.so.3']), LAST_WORDS), 7);
  assert.equal(probeHitsIn(new Set(), LAST_WORDS), 0);
});

test('the files of a process are its program and its libraries', async () => {
  const files = await filesOf([process.pid]);
  assert.ok(files.has(process.execPath));
  assert.ok(![...files].some((file) => file.startsWith('[')));
});
