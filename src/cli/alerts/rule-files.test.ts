import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertMessage, EngineMessage, EngineOptions, RuleText } from '../contract.ts';
import { MadeUpEngine, runCli } from '../made-up-engine.ts';
import { listRuleFiles, stampOf, type RuleGround } from '../rules/rule-ground.ts';

const GOOD = '- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: o\n  priority: NOTICE\n';
const BAD = '- rule: r\n  desc: d\n  condition: evt.type = \n  output: o\n  priority: NOTICE\n';
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

test('a file with errors at the start: told with file and line, exit code 1, nothing is started', async () => {
  const { exitCode, stderr, engine } = await run(
    ['run', '--rules', 'a.yaml'],
    new MadeUpGround({ 'a.yaml': BAD }),
  );
  assert.equal(exitCode, 1);
  assert.match(stderr, /the rules have errors; nothing was started\na\.yaml:3:\d+: /);
  assert.equal(engine.runs.length, 0);
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

test('on SIGHUP files are read anew; with errors they change nothing, and are right again later', async () => {
  const ground = new MadeUpGround({ 'a.yaml': GOOD });
  const engine = new Subscriber();
  const hangUp = () => ground.hangups.forEach((listener) => listener());
  engine.during = () => {
    ground.files['a.yaml'] = BAD;
    hangUp();
    ground.files['a.yaml'] = GOOD.replace('rule: r', 'rule: new');
    hangUp();
  };
  const { stderr } = await run(['run', '--rules', 'a.yaml'], ground, engine);
  assert.match(stderr, /the rules have errors; the rules before stay in force\na\.yaml:3:\d+: /);
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
