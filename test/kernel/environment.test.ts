/** Variables of the environment, read when a program is started: also of one that ends at once. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { ExecEventView, FindingView } from '../../src/output/views.ts';
import { runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { throughline } from '../support/replay.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

const SECRET = 'hunter2-of-the-environment';
let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-environment-'));
  chmodSync(directory, 0o755);
});
after(() => rmSync(directory, { recursive: true, force: true }));

async function execOf(agent: Throughline, pid: number): Promise<ExecEventView> {
  const message = await agent.waitFor((one) => one['type'] === 'exec' && one['pid'] === pid);
  return message as unknown as ExecEventView;
}

suite('events', () => {
  test('names alone, unless values are asked for; of others nothing', async () => {
    const env = { LD_PRELOAD: '', TOKEN: SECRET, UNASKED: SECRET, PATH: '/bin' };
    for (const [options, shown] of [
      [[], { LD_PRELOAD: null, TOKEN: null }],
      [['--env-values'], { LD_PRELOAD: '', TOKEN: SECRET }],
    ] as const) {
      await using agent = await startThroughline([
        'events',
        '--json',
        '--type',
        'exec',
        '--env',
        'TOKEN,LD_PRELOAD',
        '--env',
        'UNSET',
        ...options,
      ]);
      const { pid } = await runToEnd('/bin/true', [], { env });
      assert.deepEqual((await execOf(agent, pid)).environment, shown);
      const bare = await runToEnd('/bin/true', [], { env: {} });
      assert.deepEqual((await execOf(agent, bare.pid)).environment, {});
    }
  });

  test('nobody asks: nothing is told', async () => {
    await using agent = await startThroughline(['events', '--json', '--type', 'exec']);
    const { pid } = await runToEnd('/bin/true', [], { env: { TOKEN: SECRET } });
    const exec = await execOf(agent, pid);
    assert.equal('environment' in exec, false);
  });

  test('a large one: what stands in its beginning is told, and with many arguments less of it', async () => {
    await using agent = await startThroughline(['events', '--json', '--type', 'exec', '--env', 'FIRST,LAST']);
    const filling = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`FILLING_${index}`, 'x'.repeat(2000)]),
    );
    const env = { FIRST: '1', ...filling, LAST: '1' };
    const large = await runToEnd('/bin/true', [], { env });
    assert.deepEqual((await execOf(agent, large.pid)).environment, { FIRST: null });
    const { FILLING_0, FILLING_1 } = filling;
    const small = { FIRST: '1', FILLING_0, FILLING_1, LAST: '1' };
    const both = await runToEnd(
      '/bin/true',
      Array.from({ length: 20 }, () => 'y'.repeat(2000)),
      { env: small },
    );
    const exec = await execOf(agent, both.pid);
    assert.deepEqual([exec.environment, exec.truncated], [{ FIRST: null }, true]);
  });

  test('a condition that names a variable has it captured', async () => {
    await using agent = await startThroughline([
      'events',
      '--json',
      '--filter',
      'evt.type = execve and proc.env[TOKEN] contains hunter2',
    ]);
    const { pid } = await runToEnd('/bin/true', [], { env: { TOKEN: SECRET } });
    assert.deepEqual((await execOf(agent, pid)).environment, { TOKEN: null });
  });
});

suite('findings and rules', () => {
  let server: TestServer;
  let agent: Throughline;
  let recording: string;
  let earlier: ChildProcess;
  const isFinding = (message: JsonMessage): boolean =>
    message.kind === 'finding' && message['verdict'] === 'EXPLOITED';
  before(async () => {
    recording = join(directory, 'environment.tlrec');
    const rules = join(directory, 'rules.yaml');
    writeFileSync(
      rules,
      `- rule: Preloaded
  desc: A library of somebody's choice
  condition: evt.type = execve and proc.env[LD_PRELOAD] startswith ${directory} and proc.aenv[ANCESTOR] = yes
  output: "%proc.name with %proc.env[LD_PRELOAD]"
  priority: WARNING
`,
    );
    // It was there before the agent: its children's ancestor.
    earlier = spawn('/bin/sh', ['-c', `read line; LD_PRELOAD=${directory}/x.so /bin/true; exit`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ANCESTOR: 'yes' },
    });
    agent = await startThroughline([
      'run',
      '--json',
      '--env',
      'THROUGHLINE_TEST',
      '--rules',
      rules,
      '--record',
      recording,
    ]);
    server = await startServer('python-threading', 1, false, { THROUGHLINE_TEST: SECRET });
  });
  after(async () => {
    earlier.kill('SIGKILL');
    await agent.kill();
    await server.stop();
  });

  test('the process of a finding has those that were asked for', async () => {
    const attacked = await fetch(`${server.url}/run?cmd=${encodeURIComponent('x; id')}`);
    assert.match(await attacked.text(), /uid=/, 'the attack works');
    const finding = (await agent.waitFor(isFinding)) as unknown as FindingView;
    assert.deepEqual(finding.process?.environment, { THROUGHLINE_TEST: null });
  });

  test('a rule names a variable: of a program, and of an ancestor that was there before', async () => {
    earlier.stdin?.end('go\n');
    const alert = await agent.waitFor(({ kind }) => kind === 'alert');
    assert.deepEqual(
      [alert['rule'], (alert['output_fields'] as Record<string, unknown>)['proc.env[LD_PRELOAD]']],
      ['Preloaded', `${directory}/x.so`],
    );
  });

  test('a recording has what was asked for, and nothing else', async () => {
    await agent.stop();
    const shown = throughline(['replay', recording, '--json', '--env-values']);
    const finding = shown.messages.find(isFinding) as unknown as FindingView;
    assert.deepEqual(finding.process?.environment, { THROUGHLINE_TEST: SECRET });
    const bytes = readFileSync(recording);
    assert.ok(bytes.includes(`THROUGHLINE_TEST=${SECRET}`));
    assert.equal(bytes.includes(`PATH=${process.env['PATH']}`), false, 'what nobody asked for');
  });
});
