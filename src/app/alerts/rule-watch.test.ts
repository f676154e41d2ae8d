import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeEvent } from '../../abi/testing.ts';
import { SimulatedKernel } from '../../attribution/testing/simulated-kernel.ts';
import type { AlertMessage } from '../../cli/contract.ts';
import type { ExecutableHash } from '../../model/executable.ts';
import {
  exactly,
  sampleContext,
  SampleProgram,
  sampleProcess,
  sampleRequest,
} from '../../output/sample-story.ts';
import type { QueryEffect } from '../../model/effect.ts';
import type { Process } from '../../model/process.ts';
import { makeDetails } from '../../model/testing.ts';
import { Pipeline, type PipelineOutput } from '../pipeline.ts';
import { PROTOCOLS } from '../registry.ts';
import { ruleEventSource } from '../rule-events.ts';
import { RuleWatch, type RuleWatchOptions } from './rule-watch.ts';

const rule = (name: string, condition: string, output = 'o', more = '') =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: NOTICE\n${more}`;
const file = (...texts: readonly string[]) => [{ name: 'a.yaml', text: texts.join('') }];

const QUIET: PipelineOutput = {
  event: () => {},
  finding: () => {},
  request: () => {},
  lateEffect: () => {},
  orphan: () => {},
  loss: () => {},
  failed: (error) => {
    throw error;
  },
  ignoreConnection: () => {},
};

function start(matching: 'first' | 'all' = 'first', more: Partial<RuleWatchOptions> = {}) {
  const alerts: AlertMessage[] = [];
  const warnings: string[] = [];
  const source = { clock: sampleContext.clock, hostname: 'web1', architecture: 'x64' };
  const watch = new RuleWatch({
    matching,
    source,
    alert: (alert) => alerts.push(alert),
    warn: (text) => warnings.push(text),
    ...more,
  });
  return { watch, alerts, warnings, output: watch.watched(QUIET) };
}

const program = new SampleProgram(sampleProcess(), exactly(sampleRequest()));

/** Values of the output's fields, without the time. */
function fieldsOf(alert: AlertMessage | undefined): object {
  const { 'evt.time': time, ...fields } = alert?.output_fields ?? {};
  assert.equal(typeof time, 'number');
  return fields;
}

test('an effect of which a rule is true raises an alert in the shape of the reference engine', () => {
  const { watch, alerts, output } = start();
  assert.ok(
    watch.replace(file(rule('Shell', 'evt.type = execve and http.method = GET', 'ran %evt.arg.exe'))),
  );
  output.effect?.(program.exec(['id'], '/usr/bin/id'));
  output.effect?.(program.open('/etc/passwd'));
  assert.equal(watch.raised, 1);
  const { time, output: text, ...rest } = alerts[0] ?? assert.fail();
  assert.match(time, /^2025-01-02T12:04:31\.\d{9}Z$/);
  assert.match(text, /^12:04:31\.\d{9}: Notice ran id$/);
  assert.deepEqual(rest, {
    kind: 'alert',
    rule: 'Shell',
    priority: 'Notice',
    source: 'syscall',
    hostname: 'web1',
    tags: [],
    output_fields: { 'evt.time': Math.trunc(Date.parse(time) * 1e6), 'evt.arg.exe': 'id' },
  });
});

test('the first rule that is true alone, or all of them; rules that are switched off never', () => {
  const files = file(
    rule('off', 'evt.type = execve', 'o', '  enabled: false\n'),
    rule('a', 'evt.type = execve'),
    rule('b', 'evt.type = execve'),
  );
  for (const [matching, names] of [
    ['first', ['a']],
    ['all', ['a', 'b']],
  ] as const) {
    const { watch, alerts, output } = start(matching);
    watch.replace(files);
    assert.equal(watch.ruleCount, 2);
    output.effect?.(program.exec(['id'], '/usr/bin/id'));
    assert.deepEqual(
      alerts.map(({ rule: name }) => name),
      names,
    );
  }
});

test('new rules take the place of the old ones from the next event on; files with errors change nothing', () => {
  const { watch, alerts, output } = start();
  const happen = () => output.effect?.(program.exec(['id'], '/usr/bin/id'));
  watch.replace(file(rule('old', 'evt.type = execve')));
  happen();
  assert.equal(watch.replace(file(rule('wrong', 'evt.type ='))), false);
  happen();
  watch.replace(file(rule('new', 'evt.type = execve')));
  happen();
  watch.replace([]);
  happen();
  assert.deepEqual(
    alerts.map(({ rule: name }) => name),
    ['old', 'old', 'new'],
  );
});

test('an alert that cannot be made is told and ends nothing', () => {
  const warnings: string[] = [];
  const watch = new RuleWatch({
    matching: 'all',
    source: { clock: sampleContext.clock, hostname: null, architecture: 'x64' },
    alert: () => {
      throw new Error('broken');
    },
    warn: (text) => warnings.push(text),
  });
  watch.replace(file(rule('a', 'evt.type = execve')));
  watch.watched(QUIET).effect?.(program.exec(['id'], '/usr/bin/id'));
  assert.match(warnings.join(), /bug in the output of rule 'a'.*broken/s);
  assert.equal(watch.raised, 0);
});

test('rules are switched on and off; a name that no rule has is refused at the start, and told later', () => {
  const files = file(rule('a', 'evt.type = execve'), rule('b', 'evt.type = execve'));
  const select = (value: string) => ({ selections: [{ action: 'disable', by: 'name', value }] }) as const;
  const chosen = start('all', select('a'));
  assert.ok(chosen.watch.replace(files));
  chosen.output.effect?.(program.exec(['id'], '/usr/bin/id'));
  assert.deepEqual(
    chosen.alerts.map((alert) => alert.rule),
    ['b'],
  );
  assert.ok(chosen.watch.replace(file(rule('c', 'evt.type = execve'))));
  assert.deepEqual(chosen.warnings, ["there is no rule 'a'; did you mean 'c'?"]);
  const wrong = start('all', select('x*'));
  assert.equal(wrong.watch.replace(files), false);
  assert.deepEqual(wrong.watch.problems, ["there is no rule 'x*'"]);
});

test('what is wrong with files is told with its line; right ones come into force later', () => {
  const { watch } = start();
  assert.equal(watch.replace(file(rule('a', 'proc.nmae = x'))), false);
  assert.match(
    watch.problems.join(),
    /^a\.yaml:3:\d+: unknown field 'proc\.nmae'; did you mean proc\.name\?$/,
  );
  assert.ok(watch.replace(file(rule('a', 'proc.name = x'))));
  assert.deepEqual(watch.problems, []);
});

test('a rule that raises too many alerts is held back alone; what rules do is counted over changes', () => {
  let nowMs = 0;
  const { watch, alerts, warnings, output } = start('all', {
    alertLimit: { count: 5, perNs: 60e9 },
    now: () => (nowMs += 0.5),
  });
  const files = file(rule('loud', 'evt.type = openat'), rule('quiet', 'evt.type = execve'));
  watch.replace(files);
  for (let count = 0; count < 3000; count++) output.effect?.(program.open('/x'));
  output.effect?.(program.exec(['id'], '/usr/bin/id'));
  watch.replace(files);
  output.effect?.(program.exec(['id'], '/usr/bin/id'));
  assert.equal(alerts.filter((alert) => alert.rule === 'quiet').length, 2);
  const { raised, heldBack, seen, timeMs, rules } = watch.counts();
  const held = 3000 - alerts.length + 2;
  assert.ok(held > 2900);
  assert.deepEqual([raised, heldBack, seen], [alerts.length, held, 3002]);
  assert.match(warnings.join(), /^rule 'loud' raises more alerts than --alert-limit lets through/);
  // Each look at the clock takes as long as any: there is nothing left for the rules.
  assert.equal(timeMs, 0);
  assert.deepEqual(
    rules.map(({ rule: name, evaluated, matched, heldBack: back }) => [name, evaluated, matched, back]),
    [
      ['loud', 3000, 3000, held],
      ['quiet', 2, 2, 0],
    ],
  );
});

const REQUESTS = 6000;

/** A kernel whose events go through a pipeline that rules watch. */
function watchedKernel() {
  const alerts: AlertMessage[] = [];
  const watch = new RuleWatch({
    matching: 'all',
    source: ruleEventSource(() => pipeline),
    alertLimit: { count: Infinity, perNs: 1 },
    alert: (alert) => alerts.push(alert),
    warn: assert.fail,
  });
  const pipeline: Pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: [],
    wants: { findings: true, requests: false, events: false },
    output: watch.watched(QUIET),
  });
  const kernel = new SimulatedKernel((event) => {
    const bytes = encodeEvent(event);
    pipeline.event(bytes, new DataView(bytes.buffer), 0, bytes.length);
  });
  return { watch, pipeline, kernel, alerts };
}

/** An event loop that is asked many times; rules that see it are changed half-way. */
function serve(before: string, after = before) {
  const { watch, pipeline, kernel, alerts } = watchedKernel();
  const put = (condition: string) => {
    watch.replace(file(rule('r', condition, '%http.target')));
    if (watch.readingRules.length > 0) pipeline.readAll();
  };
  put(before);
  const loop = kernel.process();
  kernel.epollWait(loop);
  const client = kernel.accept(loop);
  for (let count = 0; count < REQUESTS; count++) {
    if (count === REQUESTS / 2) put(after);
    kernel.epollWait(loop);
    kernel.read(loop, client, `GET /${count} HTTP/1.1\r\nHost: app\r\n\r\n`);
    kernel.write(loop, client, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  }
  return { targets: alerts.map(({ output_fields: fields }) => fields['http.target']), pipeline };
}

test('requests are events of rules that ask for them; for all others plain exchanges are left unread', () => {
  const seen = serve('evt.type = http_request and http.path startswith /59');
  assert.equal(seen.targets.length, 111);
  assert.equal(seen.pipeline.plainCount, 0);
  assert.equal(serve('evt.type = http_response and http.status = 200').targets.length, REQUESTS);
  const others = serve('evt.type = execve and http.method exists');
  assert.equal(others.targets.length, 0);
  assert.ok(others.pipeline.plainCount > 1000);
  assert.equal(serve('evt.type = accept4 and fd.is_server = true').targets.length, 1);
});

test('the end of a connection tells what went over it, also where its process ended first', () => {
  const { watch, kernel, alerts } = watchedKernel();
  watch.replace(file(rule('r', 'evt.type = connection_end', '%flow.bytes_in %flow.bytes_out %fd.is_server')));
  const server = kernel.process();
  const [first, second] = [kernel.accept(server), kernel.accept(server)];
  kernel.read(server, first, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  kernel.write(server, first, 'HTTP/1.1 204 No Content\r\n\r\n');
  kernel.close(first);
  kernel.exit(server);
  kernel.close(second);
  assert.deepEqual(alerts.map(fieldsOf), [
    { 'flow.bytes_in': 27, 'flow.bytes_out': 27, 'fd.is_server': true },
    { 'flow.bytes_in': 0, 'flow.bytes_out': 0, 'fd.is_server': true },
  ]);
});

test('rules that come to ask for requests see all from then on', () => {
  const { targets, pipeline } = serve('evt.type = execve', 'evt.type = http_response');
  assert.ok(pipeline.plainCount > 0);
  assert.deepEqual(
    targets.slice(-REQUESTS / 2),
    Array.from({ length: REQUESTS / 2 }, (_, index) => `/${REQUESTS / 2 + index}`),
  );
});

suite('rules that ask for the hash of a program', () => {
  const SHA256 = 'ab'.repeat(32);
  const sampleFile = () => ({
    key: 'k',
    executed: null,
    path: '/tmp/x',
    mountNamespace: 0,
    hash: null as ExecutableHash | null,
  });

  const KNOWN_BAD = rule(
    'known bad',
    `evt.type = execve and proc.hash.sha256 = ${SHA256}`,
    '%proc.name %proc.hash.sha256',
  );
  const PRINTED = rule('printed', 'evt.type = openat', '%proc.hash.sha256 %user.loginname');
  const NAMED = rule('named', 'evt.type = execve and proc.name = x', 'n %proc.name');

  function startHashing(rules: readonly string[], matching: 'first' | 'all' = 'first', isAnswered = true) {
    const alerts: AlertMessage[] = [];
    const asked: string[] = [];
    const watch = new RuleWatch({
      matching,
      alertLimit: { count: Infinity, perNs: 1 },
      source: { clock: sampleContext.clock, hostname: null, architecture: 'x64' },
      alert: (alert) => alerts.push(alert),
      warn: assert.fail,
      hashes: {
        fileOf: (process) => process.file ?? null,
        ask: ({ key }) => asked.push(key),
        isPending: ({ hash }) => isAnswered && hash === null,
      },
    });
    assert.ok(watch.replace(file(...rules)), watch.problems.join());
    return { watch, alerts, asked, output: watch.watched(QUIET) };
  }
  const names = (alerts: readonly AlertMessage[]) => alerts.map(({ rule: name }) => name);
  const programOf = (ran: ReturnType<typeof sampleFile>, comm = 'x') =>
    new SampleProgram(sampleProcess({ comm, file: ran }), exactly(sampleRequest()));

  test('wait for it, and so do those behind them: the first match is that of the files, whenever it is known', () => {
    const { watch, alerts, asked, output } = startHashing([KNOWN_BAD, NAMED]);
    assert.deepEqual([watch.hashingRules, watch.ruleCount], [['known bad'], 2]);
    const ran = sampleFile();
    const process = { ...sampleProcess({ comm: 'x' }), file: ran, comm: 'x' };
    const effect = new SampleProgram(process, exactly(sampleRequest())).exec(['x'], '/tmp/x');
    output.effect?.(effect);
    assert.deepEqual([names(alerts), asked], [[], ['k']]);
    // What the process becomes meanwhile is not what the rule is about.
    process.comm = 'other';
    ran.hash = { sha256: SHA256, problem: null };
    output.tick?.(effect.timeNs + 1);
    assert.deepEqual(names(alerts), ['known bad']);
    assert.deepEqual(fieldsOf(alerts[0]), { 'proc.name': 'x', 'proc.hash.sha256': SHA256 });
    assert.equal(watch.withoutHash, 0);
    output.effect?.({ ...effect, process: { ...process, comm: 'x' } });
    assert.deepEqual(names(alerts).slice(1), ['known bad'], 'known by now: no need to wait');
  });

  test('that turn out to be false leave the event to the rules behind them', () => {
    const { alerts, output } = startHashing([KNOWN_BAD, NAMED]);
    const ran = sampleFile();
    const effect = programOf(ran).exec(['x'], '/tmp/x');
    output.effect?.(effect);
    ran.hash = { sha256: 'cd'.repeat(32), problem: null };
    output.tick?.(effect.timeNs + 1);
    assert.deepEqual(names(alerts), ['named']);
  });

  test('hold up nothing that is decided without them', () => {
    const narrow = rule(
      'narrow',
      `evt.type = execve and proc.name = y and not proc.hash.sha256 in (${SHA256})`,
    );
    for (const rules of [
      [NAMED, KNOWN_BAD],
      [narrow, NAMED],
    ]) {
      const { watch, alerts, asked, output } = startHashing(rules);
      output.effect?.(programOf(sampleFile()).exec(['x'], '/tmp/x'));
      assert.deepEqual([names(alerts), asked, watch.withoutHash], [['named'], [], 0]);
    }
    const { alerts, output } = startHashing([KNOWN_BAD, NAMED], 'all');
    const effect = programOf(sampleFile()).exec(['x'], '/tmp/x');
    output.effect?.(effect);
    output.tick?.(Infinity);
    assert.deepEqual(names(alerts), ['named']);
  });

  test('a negation of the hash may be true before it is known', () => {
    const unknown = rule('unknown', `evt.type = execve and not proc.hash.sha256 in (${SHA256})`);
    const { alerts, asked, output } = startHashing([unknown, NAMED]);
    const ran = sampleFile();
    const effect = programOf(ran).exec(['x'], '/tmp/x');
    output.effect?.(effect);
    assert.deepEqual([names(alerts), asked], [[], ['k']]);
    ran.hash = { sha256: SHA256, problem: null };
    output.tick?.(effect.timeNs + 1);
    assert.deepEqual(names(alerts), ['named']);
  });

  test('requests and accepted connections wait as well', () => {
    const { alerts, output } = startHashing([
      rule('r', 'evt.type = http_request', '%proc.hash.sha256 %http.method'),
    ]);
    const ran = sampleFile();
    output.requestRead?.({ ...sampleRequest(), process: sampleProcess({ file: ran }) }, 5);
    output.effect?.(program.open('/x'));
    assert.equal(alerts.length, 0);
    ran.hash = { sha256: SHA256, problem: null };
    output.tick?.(6);
    assert.deepEqual(fieldsOf(alerts[0]), { 'proc.hash.sha256': SHA256, 'http.method': 'GET' });
  });

  test('over several events see them in the order in which they happened', () => {
    const steps = (first: string, second: string) =>
      `- rule: s\n  desc: d\n  output: o\n  priority: NOTICE\n  sequence: [${first}, ${second}]\n  within: 1m\n`;
    const hashed = `evt.type = execve and proc.hash.sha256 = ${SHA256}`;
    for (const [rules, isFound] of [
      [steps(hashed, 'evt.type = openat and fd.name = /x'), true],
      [steps('evt.type = openat and fd.name = /x', hashed), false],
    ] as const) {
      const { alerts, output } = startHashing([rules, NAMED]);
      const ran = sampleFile();
      const made = programOf(ran, 'y');
      const exec = made.exec(['y'], '/tmp/y');
      const open = { ...made.open('/x'), process: sampleProcess(), timeNs: exec.timeNs + 10 };
      output.effect?.(exec);
      output.effect?.(open);
      // It is no step: nothing holds it up.
      output.effect?.(programOf({ ...sampleFile(), hash: { sha256: 'e', problem: null } }).exec(['x'], '/x'));
      assert.deepEqual(names(alerts), ['named']);
      ran.hash = { sha256: SHA256, problem: null };
      output.tick?.(exec.timeNs + 20);
      assert.deepEqual(names(alerts).includes('s'), isFound);
      if (isFound) assert.equal(alerts[1]?.sequence?.steps.length, 2);
    }
  });

  test('events that wait are judged by the rules that were in force when they happened', () => {
    const { watch, alerts, output } = startHashing([PRINTED]);
    output.effect?.(programOf(sampleFile()).open('/etc/x'));
    assert.equal(alerts.length, 0);
    watch.replace(file(rule('new', 'evt.type = openat', '%proc.hash.sha256')));
    assert.deepEqual([names(alerts), watch.withoutHash], [['printed'], 1]);
  });

  test('more than two thousand do not wait: the oldest is run without it', () => {
    const { watch, alerts, output } = startHashing([PRINTED]);
    const made = programOf(sampleFile());
    for (let count = 0; count < 2050; count++) output.effect?.(made.open(`/${count}`));
    assert.deepEqual([alerts.length, watch.withoutHash], [2, 2]);
    output.tick?.(Infinity);
    assert.equal(watch.withoutHash, 2050);
  });

  test('a second at most; then they are run without it, which is counted', () => {
    const { watch, alerts, output } = startHashing([PRINTED]);
    const process = sampleProcess({ file: sampleFile() });
    const effect = new SampleProgram(process, exactly(sampleRequest())).open('/etc/x');
    output.effect?.(effect);
    output.tick?.(effect.timeNs + 0.9e9);
    assert.deepEqual([names(alerts), watch.withoutHash], [[], 0]);
    output.tick?.(effect.timeNs + 1.1e9);
    assert.deepEqual([names(alerts), watch.withoutHash], [['printed'], 1]);
    assert.equal(alerts[0]?.output_fields['proc.hash.sha256'], null);
  });

  test('meanwhile, names that the process has by accessors are kept', () => {
    const { watch, alerts, output } = startHashing([PRINTED]);
    const named = {
      get loginName() {
        return 'jo';
      },
    };
    const process: Process = Object.assign(
      Object.create(named),
      sampleProcess({ file: sampleFile(), details: makeDetails({ loginUid: 1000 }) }),
    );
    const effect = new SampleProgram(process, exactly(sampleRequest())).open('/etc/x');
    output.effect?.(effect);
    assert.equal(watch.withoutHash, 0);
    output.tick?.(effect.timeNs + 1.1e9);
    assert.equal(alerts[0]?.output_fields['user.loginname'], 'jo');
  });

  test('where nobody answers they are run at once', () => {
    const { watch, alerts, output } = startHashing([NAMED, KNOWN_BAD], 'all', false);
    const process = sampleProcess({ comm: 'x', file: sampleFile() });
    output.effect?.(new SampleProgram(process, exactly(sampleRequest())).exec(['x'], '/tmp/x'));
    assert.deepEqual([names(alerts), watch.withoutHash], [['named'], 1]);
  });
});

test('a rule over several events, and what it wants done, stand in its alert', () => {
  const { watch, alerts, output } = start();
  const steps =
    '  sequence: [evt.type = openat, evt.type = execve]\n  within: 1m\n  by: req.id\n  respond: [block]\n';
  watch.replace([
    { name: 'a.yaml', text: `- rule: s\n  desc: d\n  output: o\n  priority: NOTICE\n${steps}` },
  ]);
  output.effect?.(program.open('/etc/passwd'));
  assert.equal(alerts.length, 0);
  output.effect?.(program.exec(['id'], '/usr/bin/id'));
  const [alert] = alerts;
  assert.deepEqual(alert?.respond, [{ respond: 'block', target: 'client', for: '30m' }]);
  assert.deepEqual([alert?.sequence?.within, alert?.sequence?.steps.length], ['1m', 2]);
});

test('what a rule forgets before its time is told once, and counted over changes of the rules', () => {
  const { watch, warnings, output } = start();
  const text = `- rule: s\n  desc: d\n  output: o\n  priority: NOTICE\n  sequence: [evt.type = openat, evt.type = execve]\n  within: 1m\n  by: fd.name\n`;
  const flood = () => {
    for (let count = 0; count < 5000; count++) output.effect?.(program.open(`/${count}`));
  };
  watch.replace([{ name: 'a.yaml', text }]);
  flood();
  assert.deepEqual(watch.forgotten, { s: 5000 - 4096 });
  assert.match(warnings.join(), /^rule 's' follows too much at once/);
  watch.replace([{ name: 'a.yaml', text }]);
  flood();
  assert.deepEqual(watch.forgotten, { s: 2 * (5000 - 4096) });
});

test('an answer is an event of its own', () => {
  const { watch, alerts, output } = start();
  watch.replace(file(rule('Refused', 'evt.type = db_response and db.error = 42601', '%db.statement')));
  const query: QueryEffect = {
    ...program.open('/'),
    type: 'query',
    query: {
      protocol: 'postgresql',
      operation: 'SELECT',
      statement: "SELECT ''",
      parameters: [],
      database: '',
      user: '',
      isTruncated: false,
      anomalies: [],
    },
    remote: { address: '10.0.0.9', port: 5432 },
    outcome: null,
    endedNs: null,
  };
  output.effect?.(query);
  assert.equal(alerts.length, 0);
  const outcome = { isError: true, code: '42601', message: '', rows: null, answers: [] };
  output.answered?.({ ...query, outcome }, query.timeNs + 1);
  assert.equal(alerts[0]?.output_fields['db.statement'], "SELECT ''");
});
