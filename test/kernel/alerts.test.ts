/** Rules raise alerts in the running agent: what they ask for is told by the kernel, and they may change meanwhile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileProgram } from '../support/compile.ts';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const directory = mkdtempSync(join(tmpdir(), 'throughline-alerts-'));
const at = (name: string): string => join(directory, name);
const rulesFile = at('rules.yaml');

interface RuleSketch {
  readonly name: string;
  readonly condition: string;
  readonly output: string;
}

function write(...rules: readonly RuleSketch[]): void {
  const texts = rules.map(
    ({ name, condition, output }) =>
      `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: WARNING\n  tags: [test]\n`,
  );
  // As editors do it: the file is never half there.
  writeFileSync(`${rulesFile}.new`, texts.join(''));
  renameSync(`${rulesFile}.new`, rulesFile);
}

const marked = `proc.pcmdline contains ${process.pid} or proc.pid = ${process.pid}`;
const RUNS: RuleSketch = {
  name: 'Runs',
  condition: `evt.type = execve and proc.args contains ${directory}`,
  output: 'ran %proc.cmdline',
};
const MODE: RuleSketch = {
  name: 'Mode',
  condition: `evt.type in (chmod, fchmodat) and evt.arg.mode contains S_ISUID and fs.path.name startswith ${directory}`,
  output: '%fs.path.name %evt.arg.mode',
};
const READ: RuleSketch = {
  name: 'Read',
  condition: `evt.type in (open, openat) and evt.is_open_read = true and fd.name = ${at('secret')} and (${marked})`,
  output: '%fd.name %proc.name',
};

const alertsOf = (agent: Throughline, rule: string) =>
  agent.ofKind('alert').filter((alert) => alert['rule'] === rule);
const untilAlert = (agent: Throughline, rule: string) =>
  agent.waitFor((message) => message.kind === 'alert' && message['rule'] === rule);
const untilTold = async (agent: Throughline, pattern: RegExp, from = 0) => {
  for (let tries = 0; tries < 100; tries++) {
    if (pattern.test(agent.stderr.slice(from))) return;
    await sleep(50);
  }
  assert.fail(`not told: ${pattern} in\n${agent.stderr.slice(from)}`);
};
/** Values of the output's fields, without the time. */
const fieldsOf = (alert: Record<string, unknown>) => {
  const { 'evt.time': time, ...fields } = alert['output_fields'] as Record<string, unknown>;
  assert.equal(typeof time, 'number');
  return fields;
};
const setMode = () => {
  writeFileSync(at('file'), '');
  chmodSync(at('file'), 0o4755);
};

suite('alerts', () => {
  let agent: Throughline;
  const received: string[] = [];
  const listener = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      received.push(body);
      response.end();
    });
  });

  before(async () => {
    writeFileSync(at('secret'), 'x');
    write(RUNS, MODE, READ);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const outputs = ['--alerts-file', at('alerts'), '--alerts-url', `http://127.0.0.1:${port}/`];
    agent = await startThroughline(['run', '--json', '--rules', rulesFile, ...outputs]);
  });

  after(async () => {
    listener.closeAllConnections();
    listener.close();
    await agent.kill();
  });

  test('of everybody, for what rules ask for: programs, modes, files that are read', async () => {
    execFileSync('/bin/ls', [directory]);
    setMode();
    readFileSync(at('secret'));
    const ran = await untilAlert(agent, 'Runs');
    assert.match(String(ran['output']), new RegExp(`^[\\d:.]+: Warning ran ls ${directory}$`));
    assert.deepEqual(fieldsOf(ran), { 'proc.cmdline': `ls ${directory}` });
    assert.deepEqual([ran['priority'], ran['source'], ran['tags']], ['Warning', 'syscall', ['test']]);
    assert.ok(Math.abs(Date.parse(String(ran['time'])) - Date.now()) < 60_000);
    const mode = await untilAlert(agent, 'Mode');
    assert.match(String(mode['output']), new RegExp(`${at('file')} .*S_ISUID`));
    await untilAlert(agent, 'Read');
  });

  test('the file and the listener get the same, in the shape of the reference engine', async () => {
    for (let tries = 0; tries < 100 && received.length < 3; tries++) await sleep(20);
    const written = readFileSync(at('alerts'), 'utf8').trimEnd().split('\n');
    const shown = agent
      .ofKind('alert')
      .map((alert) => JSON.parse(JSON.stringify({ ...alert, kind: undefined })) as unknown);
    assert.deepEqual(
      written.map((line) => JSON.parse(line) as unknown),
      shown,
    );
    assert.deepEqual(
      received.map((body) => JSON.parse(body) as unknown),
      shown,
    );
  });

  test('SIGHUP: new rules take the place of the old ones, and nothing between the two is lost', async () => {
    const told = agent.stderr.length;
    const earlier = alertsOf(agent, 'Mode').length;
    let made = 0;
    const work = setInterval(() => {
      setMode();
      made++;
    }, 2);
    await sleep(100);
    write(MODE, {
      name: 'Gone',
      condition: `evt.type = unlink and fs.path.name = ${at('file')}`,
      output: '%fs.path.name',
    });
    process.kill(agent.pid, 'SIGHUP');
    await untilTold(agent, /2 rules in force, of 1 file/, told);
    await sleep(100);
    clearInterval(work);
    unlinkSync(at('file'));
    await untilAlert(agent, 'Gone');
    assert.ok(made > 20, `${made}`);
    assert.equal(alertsOf(agent, 'Mode').length - earlier, made);
    const reads = alertsOf(agent, 'Read').length;
    readFileSync(at('secret'));
    setMode();
    await agent.waitFor(() => alertsOf(agent, 'Mode').length - earlier > made);
    assert.equal(alertsOf(agent, 'Read').length, reads);
  });

  test('a file with errors is told with its line, and the rules before stay; a right one comes by itself', async () => {
    const told = agent.stderr.length;
    write({ ...RUNS, condition: 'proc.nmae = x' });
    await untilTold(agent, /rules before stay in force\n.*rules\.yaml:3:\d+: unknown field/, told);
    const modes = alertsOf(agent, 'Mode').length;
    setMode();
    await agent.waitFor(() => alertsOf(agent, 'Mode').length > modes);
    const later = agent.stderr.length;
    write(READ);
    await untilTold(agent, /1 rule in force/, later);
    const reads = alertsOf(agent, 'Read').length;
    readFileSync(at('secret'));
    await agent.waitFor(() => alertsOf(agent, 'Read').length > reads);
  });

  test('the summary counts what was raised and delivered', async () => {
    const { stderr } = await agent.stop();
    const raised = agent.ofKind('alert').length;
    assert.match(stderr, new RegExp(`^${raised.toLocaleString('en-US')} alerts$`, 'm'));
    assert.match(stderr, new RegExp(`^${raised.toLocaleString('en-US')} delivered to ${at('alerts')}$`, 'm'));
    assert.match(stderr, /delivered to http:\/\/127\.0\.0\.1:\d+\/$/m);
    assert.equal(received.length, raised);
  });
});

suite('a rule about reads', () => {
  const HIDDEN: RuleSketch = {
    name: 'Hidden',
    condition: `evt.type in (open, openat) and evt.is_open_read = true and fd.name = ${at('secret')}`,
    output: '%proc.name %fd.nameraw',
  };
  let agent: Throughline;

  before(async () => {
    writeFileSync(at('secret'), 'x');
    write(HIDDEN);
    agent = await startThroughline(['run', '--json', '--rules', rulesFile]);
  });
  after(() => agent.stop());

  test('sees those through a ring, by anybody', async (t) => {
    const [result] = execFileSync(compileProgram('ring', directory), ['read', at('secret')], {
      encoding: 'utf8',
    }).split('\n');
    assert.ok(Number(result) >= 0, `opened: ${result}`);
    await untilAlert(agent, 'Hidden');
    t.diagnostic(`told ${alertsOf(agent, 'Hidden').length} times`);
    for (const alert of alertsOf(agent, 'Hidden'))
      assert.deepEqual(fieldsOf(alert), { 'proc.name': 'ring', 'fd.nameraw': at('secret') });
  });

  test(
    'and by 32-bit programs',
    { skip: process.arch !== 'x64' && 'made with an instruction of x86' },
    async (t) => {
      const result = execFileSync(compileProgram('tricks', directory), ['compat-read', at('secret')], {
        encoding: 'utf8',
      }).trim();
      if (result === '-38') {
        t.skip('this kernel has no 32-bit calls');
        return;
      }
      assert.ok(Number(result) >= 0, `opened: ${result}`);
      const alert = await agent.waitFor(
        (message) => message.kind === 'alert' && String(message['output']).includes('tricks'),
      );
      assert.deepEqual(fieldsOf(alert), { 'proc.name': 'tricks', 'fd.nameraw': at('secret') });
    },
  );
});

test('rules with errors at the start: told with file and line, exit code 1', async () => {
  write({ ...RUNS, condition: 'proc.nmae = x' });
  await assert.rejects(
    startThroughline(['run', '--json', '--rules', rulesFile]),
    /ended with 1 before it was attached:[^]*rules\.yaml:3:\d+: unknown field 'proc\.nmae'/,
  );
});
