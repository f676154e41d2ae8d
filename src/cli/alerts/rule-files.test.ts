import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ThroughlineError } from '../../base/errors.ts';
import type { AlertMessage, EngineMessage, EngineOptions, RuleText } from '../contract.ts';
import { MadeUpEngine, runCli } from '../made-up-engine.ts';
import { listRuleFiles, stampOf, type RuleGround } from '../rules/rule-ground.ts';

const GOOD = '- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: NOTICE\n';
const ALERT: AlertMessage = {
  kind: 'alert',
  time: '2025-01-02T12:04:31.005000000Z',
  rule: 'r',
  priority: 'Warning',
  source: 'syscall',
  hostname: 'web1',
  output: '12:04:31.005000000: Warning ran sh',
  tags: [],
  output_fields: {},
};

const STARTED: EngineMessage = {
  kind: 'started',
  source: 'live',
  version: '0.1.0',
  kernel: '6.1',
  attached: [],
  startupMs: 1,
};

/** Files that a test may change while a command runs. */
class MadeUpGround implements RuleGround {
  files: Record<string, string>;
  readonly defaultFolder: string | null;
  readonly hangups = new Set<() => void>();

  constructor(files: Record<string, string>, defaultFolder: string | null = null) {
    this.files = files;
    this.defaultFolder = defaultFolder;
  }

  readonly list = (path: string) =>
    path.endsWith('/') ? Object.keys(this.files).filter((name) => name.startsWith(path)) : [path];
  readonly stamp = (names: readonly string[]) => names.map((name) => this.files[name]).join();
  readonly onHangup = (listener: () => void) => {
    this.hangups.add(listener);
    return () => void this.hangups.delete(listener);
  };
}

class Subscriber extends MadeUpEngine {
  readonly got: (readonly RuleText[])[] = [];
  /** What happens while it runs. */
  during: () => void | Promise<void> = () => {};

  override async run(...[options, onMessage]: Parameters<MadeUpEngine['run']>) {
    const unsubscribe = options.rules?.onChange((files) => this.got.push(files));
    await this.during();
    const summary = await super.run(options, onMessage);
    unsubscribe?.();
    return summary;
  }
}

async function run(args: readonly string[], ground: MadeUpGround, engine = new Subscriber([STARTED, ALERT])) {
  const result = await runCli(args, engine, {
    ruleGround: ground,
    readRules: (path) => ground.files[path] ?? '',
  });
  return { ...result, engine };
}

const rulesOf = (options: EngineOptions | undefined) => options?.rules?.files.map(({ name }) => name);

test('rules are none, those that come with the program, those that are named, or both', async () => {
  const ground = new MadeUpGround({ 'own/a.yaml': GOOD, 'rules/b.yaml': GOOD, 'rules/c.yaml': '' }, 'rules/');
  assert.equal((await run(['run'], ground)).engine.runs[0]?.rules, undefined);
  const ours = await run(['run', '--default-rules'], ground);
  assert.deepEqual(rulesOf(ours.engine.runs[0]), ['rules/b.yaml', 'rules/c.yaml']);
  const both = await run(['run', '--default-rules', '--rules', 'own/'], ground);
  assert.deepEqual(rulesOf(both.engine.runs[0]), ['rules/b.yaml', 'rules/c.yaml', 'own/a.yaml']);
  const named = await run(['run', '--rules', 'own/', '--rules', 'rules/b.yaml'], ground);
  assert.deepEqual(rulesOf(named.engine.runs[0]), ['own/a.yaml', 'rules/b.yaml']);
  const nowhere = await run(['run', '--default-rules'], new MadeUpGround({}));
  assert.equal(nowhere.engine.runs[0]?.rules, undefined);
  const replay = await run(['replay', 'x.tlrec', '--rules', 'own/', '--rule-matching', 'all'], ground);
  assert.equal(replay.engine.runs[0]?.rules?.matching, 'all');
});

test('rules that are refused at the start: told with file and line, exit code 1', async () => {
  const engine = new Subscriber([{ kind: 'rule-problems', problems: ['a.yaml:3:14: no'], isAtStart: true }]);
  engine.failure = new ThroughlineError('TL4002', 'a.yaml:3:14: no');
  const { exitCode, stderr } = await run(['run', '--rules', 'a.yaml'], new MadeUpGround({}), engine);
  assert.equal(exitCode, 1);
  assert.equal(stderr, 'throughline: the rules have errors; nothing was started\na.yaml:3:14: no\n');
});

test('a file that cannot be read: nothing is started', async () => {
  const engine = new Subscriber();
  const { exitCode, stderr } = await runCli(['run', '--rules', 'a.yaml'], engine);
  assert.equal(exitCode, 1);
  assert.match(stderr, /the rules have errors; nothing was started\n.*a\.yaml/);
  assert.equal(engine.runs.length, 0);
});

test('rules are switched on and off in the order of the command line', async () => {
  const ground = new MadeUpGround({ 'a.yaml': GOOD });
  const selections = async (...args: readonly string[]) =>
    (await run(['run', '--rules', 'a.yaml', ...args], ground)).engine.runs[0]?.rules?.selections.map(
      ({ action, by, value }) => `${action} ${by} ${value}`,
    );
  assert.deepEqual(await selections(), []);
  assert.deepEqual(
    await selections(
      '-D',
      '*',
      '--enable-tag',
      'web',
      '--disable-rule',
      'a, b',
      '--enable-rule=c',
      '-T',
      'd',
    ),
    ['disable name *', 'enable tag web', 'disable name a, b', 'enable name c', 'disable tag d'],
  );
  assert.deepEqual(await selections('-D', 'x', '-t', 'a', '-t', 'b'), [
    'disable name x',
    'disable name *',
    'enable tag a',
    'enable tag b',
  ]);
});

test('the limit of alerts', async () => {
  const ground = new MadeUpGround({ 'a.yaml': GOOD });
  const limit = async (text: string) =>
    (await run(['run', '--rules', 'a.yaml', '--alert-limit', text], ground)).engine.runs[0]?.alertLimit;
  assert.deepEqual(await limit('600/m'), { count: 600, perNs: 60e9 });
  assert.deepEqual(await limit('none'), { count: Infinity, perNs: 1 });
  assert.equal((await run(['run', '--rules', 'a.yaml'], ground)).engine.runs[0]?.alertLimit, undefined);
  for (const wrong of ['0/s', '5', '5/d', '-1/s'])
    assert.equal((await run(['run', `--alert-limit=${wrong}`], ground)).exitCode, 64, wrong);
});

test('alerts are printed as the reference engine prints them, or as JSON with a kind', async () => {
  const ground = new MadeUpGround({ 'a.yaml': GOOD });
  assert.equal(
    (await run(['run', '--rules', 'a.yaml'], ground)).stdout,
    '12:04:31.005000000: Warning ran sh\n',
  );
  const json = await run(['run', '--json', '--rules', 'a.yaml'], ground);
  assert.deepEqual(JSON.parse(json.stdout), ALERT);
  assert.match(json.stderr, /^2 alerts$/m);
});

test('on SIGHUP files are read anew; what the engine finds wrong is told, and the rules before stay', async () => {
  const ground = new MadeUpGround({ 'a.yaml': GOOD });
  const problems = { kind: 'rule-problems', problems: ['a.yaml:3:14: no'], isAtStart: false } as const;
  const engine = new Subscriber([STARTED, problems]);
  engine.during = () => {
    ground.files['a.yaml'] = GOOD.replace('rule: r', 'rule: new');
    ground.hangups.forEach((listener) => listener());
  };
  const { exitCode, stderr } = await run(['run', '--rules', 'a.yaml'], ground, engine);
  assert.equal(exitCode, 0);
  assert.match(stderr, /the rules have errors; the rules before stay in force\na\.yaml:3:14: no\n/);
  assert.equal(engine.got.length, 1);
  assert.match(engine.got[0]?.[0]?.text ?? '', /rule: new/);
  assert.equal(ground.hangups.size, 0);
});

test('files that change are read without a signal, files that came new in a folder, too', async () => {
  const ground = new MadeUpGround({ 'd/a.yaml': GOOD });
  const engine = new Subscriber();
  engine.during = async () => {
    ground.files['d/b.yaml'] = GOOD.replace('rule: r', 'rule: b');
    // Its timer does not keep the program alive; this one does.
    for (let tries = 0; tries < 100 && engine.got.length === 0; tries++) await sleep(50);
  };
  await run(['run', '--rules', 'd/'], ground, engine);
  assert.deepEqual(
    engine.got.map((files) => files.map(({ name }) => name)),
    [['d/a.yaml', 'd/b.yaml']],
  );
});

test('addresses for alerts are http or https', async () => {
  const ground = new MadeUpGround({});
  assert.equal((await run(['run', '--alerts-url', 'ftp://x/'], ground)).exitCode, 64);
  assert.equal((await run(['run', '--alerts-url', 'x'], ground)).exitCode, 64);
  const { engine } = await run(['run', '--alerts-url', 'https://x/y', '--alerts-file', 'f'], ground);
  assert.deepEqual(engine.runs[0]?.alerts, { file: 'f', url: 'https://x/y' });
});

test('a folder stands for the rule files in it, by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-rules-'));
  for (const name of ['b.yaml', 'a.yml', '.hidden.yaml', 'notes.md']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'more.yaml'));
  assert.deepEqual(listRuleFiles(folder), [join(folder, 'a.yml'), join(folder, 'b.yaml')]);
  assert.deepEqual(listRuleFiles(join(folder, 'b.yaml')), [join(folder, 'b.yaml')]);
  const before = stampOf(listRuleFiles(folder));
  assert.equal(stampOf(listRuleFiles(folder)), before);
  writeFileSync(join(folder, 'b.yaml'), 'x');
  assert.notEqual(stampOf(listRuleFiles(folder)), before);
  rmSync(folder, { recursive: true });
  assert.throws(() => listRuleFiles(folder), /TL4001|ENOENT/);
  assert.match(stampOf([join(folder, 'b.yaml')]), / none$/);
});
