import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { ThroughlineError } from '../../base/errors.ts';
import { FIELDS } from '../../rules/fields/registry.ts';
import { MadeUpEngine, runCli, type CliRun } from '../made-up-engine.ts';

const FILES: Readonly<Record<string, string>> = {
  'good.yaml': `- list: shells
  items: [sh, bash]
- macro: shell
  condition: (proc.name in (shells))
- rule: Shell under a server
  desc: Somebody runs a shell.
  condition: evt.type = execve and shell and not proc.pname in (shells)
  output: "%proc.name by %proc.pname"
  priority: WARNING
  tags: [execution, T1059]
- rule: Off
  desc: d
  condition: evt.type = openat and proc.vpid != 0
  output: o
  priority: INFO
  enabled: false
`,
  'sequence.yaml': `- rule: Written
  desc: d
  priority: WARNING
  respond: [kill: { target: tree }, block]
  output: "%write.fd.name"
  sequence:
    - { as: write, condition: evt.type = openat, by: fd.name, count: { more_than: 2, distinct: proc.pid } }
    - condition: evt.type = execve and proc.name = x
      by: proc.exepath
  within: 60s
`,
  'bad.yaml': `- rule: r
  desc: d
  condition: evt.type = execve and proc.nmae = "\x1b[2J"
  output: o
  priority: INFO
- rule: s
  desc: d
`,
};

function run(...argv: readonly string[]): Promise<CliRun> {
  return runCli(argv, new MadeUpEngine(), {
    readRules: (path) => {
      const text = FILES[path];
      if (text === undefined) throw new ThroughlineError('TL4001', `${path} (ENOENT)`);
      return text;
    },
  });
}

test('check: counts, warnings and errors with their places', async () => {
  const good = await run('rules', 'check', 'good.yaml');
  assert.equal(good.exitCode, 0);
  assert.equal(
    good.stdout,
    `good.yaml: 2 rules, 1 macro, 1 list
  13:36  warning: proc.vpid has no value yet: ids inside of namespaces, and when these began, are not captured
    proc.vpid
  11:3  warning: rule 'Off' can never fire: what it asks for has no value yet

2 rules loaded, 0 errors, 2 warnings
`,
  );
  const bad = await run('rules', 'check', 'good.yaml', 'bad.yaml');
  assert.equal(bad.exitCode, 1);
  assert.match(
    bad.stdout,
    /\nbad\.yaml: 2 rules, 0 macros, 0 lists\n {2}6:3 {2}error: 'condition' is missing in rule 's'\n {2}3:36 {2}error: unknown field 'proc\.nmae'\n {4}did you mean proc\.name\?\n/,
  );
  assert.match(bad.stdout, /2 rules loaded, 2 errors, 2 warnings\n$/);
});

test('folders stand for the files in them, and no path for the rules that come with the program', async () => {
  const files: Readonly<Record<string, string>> = {
    'rules/a.yaml': '- list: x\n  items: [cat]\n',
    'rules/b.yaml': `- rule: From a folder\n  desc: d\n  condition: evt.type = execve and proc.name in (x)\n  output: o\n  priority: INFO\n`,
  };
  const inFolder = (defaultFolder: string | null, ...argv: readonly string[]) =>
    runCli(argv, new MadeUpEngine(), {
      readRules: (path) => files[path] ?? assert.fail(path),
      ruleGround: {
        defaultFolder,
        list: (path) => (path === 'rules' ? Object.keys(files) : [path]),
        stamp: () => '',
        onHangup: () => () => {},
      },
    });
  for (const given of [['rules'], []]) {
    const [list, check, explain] = await Promise.all([
      inFolder('rules', 'rules', 'list', ...given),
      inFolder('rules', 'rules', 'check', ...given),
      inFolder('rules', 'rules', 'explain', 'From a folder', ...given),
    ]);
    assert.equal(list.stdout, 'on   Informational  From a folder  []\n');
    assert.match(check.stdout, /^rules\/a\.yaml: 0 rules, 0 macros, 1 list\n[^]*1 rule loaded, 0 errors/);
    assert.match(explain.stdout, /^From a folder\n {2}rules\/b\.yaml:1, /);
  }
  const { exitCode, stderr } = await inFolder(null, 'rules', 'list');
  assert.equal(exitCode, 64);
  assert.match(stderr, /FILE is missing/);
});

test('check --strict: what no event tells is an error', async () => {
  const { exitCode, stdout } = await run('rules', 'check', '--strict', 'good.yaml');
  assert.equal(exitCode, 1);
  assert.match(stdout, /13:36 {2}error: proc\.vpid has no value yet/);
});

test('check --json: one object', async () => {
  const { exitCode, stdout } = await run('rules', 'check', 'bad.yaml', '--json');
  assert.equal(exitCode, 1);
  const report = JSON.parse(stdout) as { files: { errors: unknown[] }[]; loaded: number };
  assert.equal(report.loaded, 0);
  const [file] = report.files;
  assert.deepEqual(Object.keys(file ?? {}), ['file', 'rules', 'macros', 'lists', 'errors', 'warnings']);
  assert.deepEqual(file?.errors[1], {
    code: 'unknown-field',
    message: "unknown field 'proc.nmae'",
    file: 'bad.yaml',
    line: 3,
    column: 36,
    text: 'proc.nmae',
    suggestion: 'proc.name',
  });
});

test('list: the rules in order, for people and programs', async () => {
  const { stdout } = await run('rules', 'list', 'good.yaml');
  assert.equal(
    stdout,
    'on   Warning        Shell under a server  [execution, T1059]\noff  Informational  Off  []\n',
  );
  const [first = ''] = (await run('rules', 'list', '--json', 'good.yaml')).stdout.split('\n');
  assert.deepEqual(JSON.parse(first), {
    rule: 'Shell under a server',
    description: 'Somebody runs a shell.',
    priority: 'Warning',
    tags: ['execution', 'T1059'],
    enabled: true,
    eventTypes: ['execve'],
    sequence: null,
    respond: [],
    file: 'good.yaml',
    line: 5,
  });
});

test('list: what options switch on and off', async () => {
  const states = async (...args: readonly string[]) =>
    (await run('rules', 'list', 'good.yaml', ...args)).stdout
      .split('\n')
      .map((line) => line.split(' ')[0])
      .join(' ');
  assert.equal(await states('-D', '*', '--enable-rule', 'Off'), 'off on ');
  assert.equal(await states('--enable-rule', 'Off', '-T', 'T1059'), 'off on ');
  const { exitCode, stderr } = await run('rules', 'list', 'good.yaml', '-T', 'T1095');
  assert.equal(exitCode, 65);
  assert.match(stderr, /no rule has the tag 'T1095'; did you mean 'T1059'\?/);
});

test('explain: the whole tree, and how the rule is found', async () => {
  const { stdout } = await run('rules', 'explain', 'Shell under a server', 'good.yaml');
  assert.equal(
    stdout,
    `Shell under a server
  good.yaml:5, Warning, on
  Somebody runs a shell.

Tags: execution, T1059
Event types: execve
Found by: proc.name (2)
Output: %proc.name by %proc.pname

Condition:
  all of
    evt.type = execve
    proc.name in ( sh, bash )
    not proc.pname in ( sh, bash )
`,
  );
});

test('a sequence and a response, in check, list and explain', async () => {
  const checked = await run('rules', 'check', 'sequence.yaml');
  assert.equal(checked.exitCode, 0);
  assert.match(
    checked.stdout,
    /4:12 {2}warning: there is no responder yet: 'respond' is told with the alert, and nothing acts/,
  );
  const [line = ''] = (await run('rules', 'list', '--json', 'sequence.yaml')).stdout.split('\n');
  const listed = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual(listed['respond'], [
    { respond: 'kill', target: 'tree', signal: 'SIGKILL' },
    { respond: 'block', target: 'client', for: '30m' },
  ]);
  assert.deepEqual(listed['sequence'], {
    kind: 'sequence',
    within: '1m',
    steps: [
      {
        name: 'write',
        by: ['fd.name'],
        count: { more_than: 2, distinct: 'proc.pid' },
        condition: ['evt.type = openat'],
      },
      {
        name: null,
        by: ['proc.exepath'],
        count: null,
        condition: ['all of', '  evt.type = execve', '  proc.name = x'],
      },
    ],
  });
  const { stdout } = await run('rules', 'explain', 'Written', 'sequence.yaml');
  assert.equal(
    stdout,
    `Written
  sequence.yaml:1, Warning, on
  d

Tags: 
Event types: execve, openat
Output: %write.fd.name
Respond: kill tree with SIGKILL; block client for 30m (told with the alert, nothing acts on it yet)

Sequence of 2 steps within 1m:
  1. write; more than 2 different proc.pid; by fd.name
     evt.type = openat
  2. by proc.exepath; found by proc.name (1)
     all of
       evt.type = execve
       proc.name = x
`,
  );
  const explained = JSON.parse(
    (await run('rules', 'explain', '--json', 'Written', 'sequence.yaml')).stdout,
  ) as object;
  assert.deepEqual(explained, { ...listed, foundBy: null, output: '%write.fd.name', condition: null });
});

test('fields: all of them', async () => {
  const { stdout } = await run('rules', 'fields');
  assert.equal(stdout.split('\n').length, FIELDS.length + 1);
  assert.match(stdout, /^proc\.aname\[N\] +string +Name of an ancestor/m);
  assert.match(
    stdout,
    /^proc\.vpid +number .* Not answered yet: ids inside of namespaces, and when these began, are not captured\.$/m,
  );
  const lines = (await run('rules', 'fields', '--json')).stdout.trim().split('\n');
  assert.ok(lines.every((line) => typeof (JSON.parse(line) as { name: unknown }).name === 'string'));
});

test('mistakes on the command line', async () => {
  const cases: readonly (readonly [argv: readonly string[], exitCode: number, message: RegExp])[] = [
    [['rules', 'chek'], 64, /TL3001 .*rules chek; did you mean check\?/],
    [['rules', 'check'], 64, /TL3002 .*FILE is missing/],
    [['rules', 'explain', 'x'], 64, /TL3002 .*FILE is missing/],
    [['rules', 'check', '--jsn', 'good.yaml'], 64, /TL3001 .*did you mean --json\?/],
    [['rules', 'check', 'none.yaml'], 66, /TL4001 cannot read the rule file: none\.yaml \(ENOENT\)/],
    [
      ['rules', 'list', 'bad.yaml'],
      65,
      /TL4002 the rules have errors: bad\.yaml:6:3: 'condition' is missing/,
    ],
    [['rules', 'explain', 'Offf', 'good.yaml'], 65, /TL4003 there is no such rule: Offf; did you mean Off\?/],
    [['ruls'], 64, /TL3001 .*did you mean rules\?/],
  ];
  for (const [argv, exitCode, message] of cases) {
    const result = await run(...argv);
    assert.match(result.stderr, message);
    assert.deepEqual([result.exitCode, result.stdout], [exitCode, ''], argv.join(' '));
  }
});

test('the commands on rules have an overview of their own', async () => {
  const bare = await run('rules');
  assert.deepEqual([bare.exitCode, bare.stdout], [64, '']);
  const help = await run('rules', '--help');
  assert.equal(help.exitCode, 0);
  assert.equal(help.stdout, bare.stderr);
  assert.deepEqual(await run('help', 'rules'), help);
  assert.match(help.stdout, /^ {2}rules check +say what is wrong with rule files$/m);
  assert.match(
    (await run('rules', 'check', '--help')).stdout,
    /^Usage: throughline rules check \[FILE\.\.\.\] \[OPTIONS\]/,
  );
});

test('what a file holds cannot reach the terminal raw', async () => {
  for (const argv of [
    ['rules', 'check', 'bad.yaml'],
    ['rules', 'check', 'bad.yaml', '--json'],
  ]) {
    const { stdout, stderr } = await run(...argv);
    assert.ok(!`${stdout}${stderr}`.includes('\x1b'));
  }
});

test('events --filter and try: a condition that is right goes to the engine, one that is wrong ends it', async () => {
  const condition = 'proc.name = sh and proc.vpid = 0';
  for (const [argv, kind] of [
    [['events', '--filter', condition], 'live'],
    [['rules', 'try', condition, 'x.tlrec'], 'recording'],
  ] as const) {
    const engine = new MadeUpEngine();
    const { exitCode, stderr } = await runCli(argv, engine);
    assert.equal(exitCode, 0);
    assert.equal(engine.runs[0]?.eventFilter, condition);
    assert.equal(engine.runs[0]?.source.kind, kind);
    assert.match(stderr, /^proc\.vpid has no value yet/);
    const wrong = argv.map((word) => (word === condition ? 'proc.nmae = x' : word));
    const refused = await runCli(wrong, engine);
    assert.equal(refused.exitCode, 64);
    assert.match(refused.stderr, /is wrong at 1:1: unknown field 'proc\.nmae'; did you mean proc\.name\?/);
    assert.equal(engine.runs.length, 1);
  }
});

test('test: one line for each rule, why one failed, and exit code 1', async () => {
  const engine = new MadeUpEngine();
  const rule = { file: 'r.yaml', line: 1, fires: 2, quiet: 1, untold: 0, waitsFor: [], failures: [] };
  const failure = {
    file: 'tests/r.yaml',
    line: 3,
    expected: 'fires',
    rule: 'Bad\x1b',
    event: 'run ls',
    trace: ['false  proc.name = sh   (ls)'],
  } as const;
  engine.tested = {
    rules: [
      { ...rule, rule: 'Good', outcome: 'passed' },
      { ...rule, rule: 'Late', outcome: 'waits', untold: 2, waitsFor: ['ptrace'] },
    ],
    ordinary: [{ name: 'cron', steps: 4, outcome: 'passed', failures: [] }],
    errors: [],
  };
  const good = await runCli(['rules', 'test', 'rules'], engine);
  assert.equal(good.exitCode, 0);
  assert.equal(
    good.stdout,
    `passed    Good (1 quiet, 2 fire)
waits     Late (1 quiet, 2 fire; 2 of them not told yet: ptrace)
passed    ordinary work: cron (4 steps)
2 rules: 1 passed, 1 wait; 1 of 1 kinds of ordinary work quiet
`,
  );
  assert.equal((await runCli(['rules', 'test', 'rules', '--strict'], engine)).exitCode, 1);
  engine.tested = {
    rules: [{ ...rule, rule: 'Bad\x1b', outcome: 'failed', failures: [failure] }],
    ordinary: [],
    errors: [],
  };
  const bad = await runCli(['rules', 'test', 'rules'], engine);
  assert.equal(bad.exitCode, 1);
  assert.ok(!bad.stdout.includes('\x1b'));
  assert.match(bad.stdout, /must fire on: run ls\n {4}false {2}proc\.name = sh {3}\(ls\)\n/);
  const json = await runCli(['rules', 'test', 'rules', '--json'], engine);
  assert.deepEqual(JSON.parse(json.stdout), engine.tested);
});
