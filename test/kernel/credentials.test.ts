/**
 * Credentials that change without a call or a set-user-id program. A handler of binfmt_misc that lends the rights of a file to
 * another program does that, as a bug in the kernel would; it is registered in a user namespace of the test's own (Linux 6.7).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FindingView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

const USER = 1234;
/** As the user, without capabilities. */
const AS_USER = `setpriv --reuid ${USER} --regid ${USER} --clear-groups --inh-caps=-all --bounding-set=-all`;
/** Jumps are told after the longest that a loss takes to be told, and the time for a story. */
const SETTLED_MS = 3000;

let directory: string;
let agent: Throughline;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-credentials-'));
  chmodSync(directory, 0o755);
  agent = await startThroughline(['run', '--json']);
});
after(async () => {
  await agent.kill();
  rmSync(directory, { recursive: true, force: true });
});

const isJump = (message: JsonMessage): boolean =>
  message.kind === 'finding' && message['class'] === 'privilege-escalation';

/** Runs a script as root of a user namespace and a mount namespace that are made for it, with the users of this one. */
async function inNamespaces(script: string): Promise<string> {
  const child = spawn('/usr/bin/unshare', ['--user', '--mount', '/bin/sh', '-ec', `read line; ${script}`]);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const own = readlinkSync('/proc/self/ns/user');
  while (readlinkSync(`/proc/${child.pid}/ns/user`) === own) await sleep(5);
  for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, '0 0 65536');
  child.stdin.end('go\n');
  assert.equal(await ended, 0, output);
  return output;
}

suite('credentials', () => {
  test('ordinary changes are no finding: calls, set-user-id programs, user namespaces', async () => {
    const program = join(directory, 'set-user-id');
    copyFileSync('/usr/bin/id', program);
    chmodSync(program, 0o4755);
    const asUser = join(directory, 'as-user.sh');
    writeFileSync(
      asUser,
      `${program} -u; unshare --user --map-root-user /bin/sh -c 'id -u; setpriv --reuid 0 id -u'; id -u\n`,
    );
    const child = spawn('/bin/sh', ['-ec', `${AS_USER} /bin/sh -e ${asUser}; ${AS_USER} id -u; id -u`]);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((done) => child.once('close', done));
    assert.deepEqual([code, output.split('\n')], [0, ['0', '0', '0', `${USER}`, `${USER}`, '0', '']]);
  });

  test('a program that runs as root, though its process could not become root', async () => {
    const file = join(directory, 'lends-its-rights');
    writeFileSync(file, 'throughline-test-magic\n');
    chmodSync(file, 0o4755);
    const mount = join(directory, 'binfmt');
    mkdirSync(mount);
    await inNamespaces(`mount -t binfmt_misc none ${mount}
      echo ':throughline-test:M::throughline-test-magic::/usr/bin/id:C' >${mount}/register
      ${AS_USER} /bin/sh -c '${file} || true; exit'`);
    const finding = (await agent.waitFor(isJump)) as unknown as FindingView;
    assert.deepEqual(
      [finding.verdict, finding.severity, finding.detector],
      ['SUSPICIOUS', 'critical', 'credential-jumps'],
    );
    assert.match(finding.title, new RegExp(`user ${USER} became users ${USER}/0/0`));
    assert.ok(finding.effect?.type === 'exec');
    assert.deepEqual([finding.effect.path, finding.effect.executable], [file, '/usr/bin/id']);
    assert.match(finding.evidence[0]?.note ?? '', /binfmt_misc/);
    assert.match(finding.process?.hash?.sha256 ?? '', /^[0-9a-f]{64}$/);
    await sleep(SETTLED_MS);
    assert.equal(agent.messages.filter(isJump).length, 1);
  });
});
