import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { sendLoad } from '../support/load.ts';
import { SERVER_KINDS, startServer, whyUnavailable, type TestServer } from '../support/server.ts';

async function text(server: TestServer, target: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(server.url + target, init);
  return [response.status, await response.text()];
}

async function checkPaths(server: TestServer): Promise<void> {
  assert.deepEqual(await text(server, '/work?id=first-1'), [200, 'done first-1\n']);
  assert.ok(existsSync(join(server.workDir, 'first-1.txt')));
  assert.deepEqual(await text(server, '/shell?id=abc-2&carry=reversed'), [200, 'done abc-2\n']);
  assert.ok(existsSync(join(server.workDir, '2-cba.txt')));

  const injection = encodeURIComponent('x; echo in"jected"');
  assert.deepEqual(await text(server, `/run?cmd=${injection}`), [200, 'checking x\ninjected\n']);
  assert.deepEqual(await text(server, `/saferun?arg=${injection}`), [200, 'checking x; echo in"jected"\n']);

  await writeFile(join(dirname(server.workDir), 'outside.txt'), 'outside\n');
  assert.deepEqual(await text(server, '/read?name=..%2Foutside.txt'), [200, 'outside\n']);
  assert.equal((await text(server, '/saferead?name=..%2Foutside.txt'))[0], 403);
  assert.match((await text(server, '/saferead?name=first-1.txt'))[1], /^first-1\n?$/);

  const [bigStatus, big] = await text(server, '/big');
  assert.equal(bigStatus, 200);
  assert.equal(big.length, 200 * 1024);
  const body = 'y'.repeat(20_000);
  assert.deepEqual(await text(server, '/echo', { method: 'POST', body }), [200, body]);
  assert.equal((await text(server, '/missing'))[0], 404);
}

async function checkLoad(server: TestServer): Promise<void> {
  for (const keepAlive of [true, false]) {
    const results = await sendLoad({
      url: server.url,
      requests: 60,
      concurrency: 50,
      keepAlive,
      sinkPorts: server.sinkPorts,
      target: (id, port) => `/shell?id=${id}&port=${port}`,
    });
    assert.deepEqual(
      results.filter(({ status }) => status !== 200),
      [],
    );
    assert.ok(results.every(({ id, body }) => body === `done ${id}\n`));
    assert.ok(results.every(({ id }) => existsSync(join(server.workDir, `${id}.txt`))));
    assert.equal(new Set(results.map(({ id }) => id)).size, 60);
  }
}

suite('servers for attribution tests', () => {
  for (const kind of SERVER_KINDS) {
    test(kind, { skip: whyUnavailable(kind) ?? false }, async () => {
      const server = await startServer(kind);
      try {
        await checkPaths(server);
        await checkLoad(server);
      } finally {
        await server.stop();
      }
      assert.equal(existsSync(server.workDir), false);
      await assert.rejects(fetch(server.url), 'nobody listens any more');
    });
  }
});
