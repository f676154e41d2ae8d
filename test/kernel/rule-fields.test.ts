/** Fields of rules that need more than one event tells: what went over a connection, accounts, all of an environment. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const directory = mkdtempSync(join(tmpdir(), 'throughline-fields-'));
const REPLY = 'x'.repeat(300_000);

const rule = (name: string, condition: string, output: string) =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: WARNING\n`;

suite('fields of rules', () => {
  let agent: Throughline;
  const server = createServer((_, response) => response.end(REPLY));
  let port = 0;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    const rules = join(directory, 'rules.yaml');
    writeFileSync(
      rules,
      [
        rule(
          'Sent',
          `evt.type = connection_end and fd.lport = ${port} and flow.bytes_out > 250000`,
          '%flow.bytes_in %flow.bytes_out %fd.is_server %fd.cip',
        ),
        rule(
          'Account',
          `evt.type = execve and proc.args contains ${directory}/account`,
          '%user.homedir %user.shell %group.name',
        ),
        rule('Environment', 'evt.type = execve and proc.env icontains FIELDS_MARK', '%proc.env'),
      ].join(''),
    );
    agent = await startThroughline(['run', '--json', '--rules', rules]);
  });

  after(async () => {
    await agent.kill();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  const fieldsOf = async (name: string) => {
    const alert = await agent.waitFor((message) => message.kind === 'alert' && message['rule'] === name);
    return alert['output_fields'] as Record<string, unknown>;
  };

  test('what went over a connection, at its end', async () => {
    const { stdout } = await promisify(execFile)('curl', ['-s', `http://127.0.0.1:${port}/`], {
      maxBuffer: 1 << 20,
    });
    assert.equal(stdout.length, REPLY.length);
    const { 'flow.bytes_in': bytesIn, 'flow.bytes_out': bytesOut, ...others } = await fieldsOf('Sent');
    assert.ok(Number(bytesIn) > 50 && Number(bytesIn) < 1000, String(bytesIn));
    assert.ok(Number(bytesOut) >= REPLY.length && Number(bytesOut) < REPLY.length + 1000, String(bytesOut));
    assert.equal(others['fd.is_server'], true);
    assert.equal(others['fd.cip'], '127.0.0.1');
  });

  test('home and shell of a user, and the name of a group', async () => {
    execFileSync('/bin/true', [`${directory}/account`]);
    const { 'evt.time': time, ...fields } = await fieldsOf('Account');
    assert.equal(typeof time, 'number');
    const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
    const shell = userInfo().shell;
    assert.deepEqual(fields, {
      'user.homedir': userInfo().homedir,
      'user.shell': shell,
      'group.name': group,
    });
  });

  test('a variable that all of the environment is looked through for', async () => {
    execFileSync('/bin/true', { env: { fields_mark: '1', OTHER: '2' } });
    assert.equal((await fieldsOf('Environment'))['proc.env'], 'fields_mark=1');
  });
});
