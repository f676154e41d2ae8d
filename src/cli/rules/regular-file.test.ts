import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ThroughlineError } from '../../base/errors.ts';
import { readRuleText } from './regular-file.ts';

let folder = '';
before(() => (folder = mkdtempSync(join(tmpdir(), 'regular-file-'))));
after(() => rmSync(folder, { recursive: true }));

function refusal(path: string): string {
  try {
    readRuleText(path);
  } catch (error) {
    assert.ok(error instanceof ThroughlineError && error.code === 'TL4001', String(error));
    return error.message.slice(error.message.indexOf(path) + path.length);
  }
  return 'none';
}

test('regular files are read, through links and whatever they say of their size', () => {
  const path = join(folder, 'a.yaml');
  writeFileSync(path, '- list: ä\n');
  assert.equal(readRuleText(path), '- list: ä\n');
  symlinkSync(path, join(folder, 'link.yaml'));
  assert.equal(readRuleText(join(folder, 'link.yaml')), '- list: ä\n');
  assert.match(readRuleText('/proc/self/status'), /^Name:/);
});

test('what is no regular file is refused at once', async () => {
  const pipe = join(folder, 'pipe.yaml');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  assert.equal(refusal(pipe), ' (a named pipe, not a regular file)');
  assert.equal(refusal('/dev/zero'), ' (a device, not a regular file)');
  assert.equal(refusal(folder), ' (a folder, not a regular file)');
  const socket = join(folder, 's.yaml');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  assert.equal(refusal(socket), ' (a socket, not a regular file)');
  server.close();
  assert.equal(refusal(join(folder, 'none')), ' (ENOENT)');
});

test('so is a file that is larger than any rules', () => {
  const path = join(folder, 'large.yaml');
  writeFileSync(path, '');
  truncateSync(path, (16 << 20) + 1);
  assert.equal(refusal(path), ' (larger than 16 MiB)');
  truncateSync(path, 16 << 20);
  assert.equal(readRuleText(path).length, 16 << 20);
});
