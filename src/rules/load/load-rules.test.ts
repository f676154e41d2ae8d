import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RuleEvent } from '../event.ts';
import { EVENT_TYPES } from '../event-types.ts';
import { isTrue, load, makeEvent, makeProcess, problemsOf, ruleText, rulesOf } from '../testing.ts';
import { parseFilter } from '../filter.ts';
import { RuleSet } from '../rule-set.ts';
import { RuleSource } from '../text.ts';
import { loadRules } from './load-rules.ts';

const cat = makeEvent();
const bash = makeEvent({ process: makeProcess({ comm: 'bash' }) });

/** Whether the rules of some files are true of cat and of bash. */
function verdicts(...texts: readonly string[]): [cat: boolean, bash: boolean] {
  const set = new RuleSet(rulesOf(...texts), {
    matching: 'all',
    onBroken: (_, error) => assert.fail(String(error)),
  });
  const isMatched = (event: RuleEvent): boolean => {
    let count = 0;
    set.evaluate(event, () => count++);
    return count > 0;
  };
  return [isMatched(cat), isMatched(bash)];
}

describe('lists', () => {
  const lists = `- list: shells\n  items: [sh, bash]\n- list: all\n  items: [shells, cat, "a b"]\n- list: none\n  items: []\n`;

  test('the name is replaced wherever it stands alone', () => {
    assert.equal(isTrue('proc.name in (shells)', bash, lists), true);
    assert.equal(isTrue('proc.name in (shells)', cat, lists), false);
    assert.equal(isTrue('proc.name in (x, shells, y)', bash, lists), true);
    assert.equal(isTrue('proc.name in shells', bash, lists), true);
    assert.equal(isTrue('proc.name in (myshells)', bash, lists), false);
    const listed = makeEvent({ process: makeProcess({ comm: 'shells' }) });
    assert.equal(isTrue('proc.name = "shells"', listed, lists), true);
  });

  test('lists hold lists, and items with blanks are quoted', () => {
    assert.equal(isTrue('proc.name in (all)', bash, lists), true);
    assert.equal(isTrue('proc.name in (all)', cat, lists), true);
    assert.equal(
      isTrue('proc.name in (all)', makeEvent({ process: makeProcess({ comm: 'a b' }) }), lists),
      true,
    );
  });

  test('an empty list takes its comma along', () => {
    for (const list of [
      'none',
      'none, bash',
      'bash, none',
      'none, none',
      'bash, none, none, sh',
      'none , sh , none',
    ])
      assert.equal(isTrue(`proc.name in (${list})`, bash, lists), list.includes('bash'), list);
  });

  test('the text is replaced, inside of quotes too', () => {
    const event = makeEvent({ process: makeProcess({ argv: ['x', 'run', 'sh,', 'bash', 'now'] }) });
    assert.equal(isTrue('proc.args contains "run shells now"', event, lists), true);
  });

  test('a list that names itself is a word, and lists of lists do not grow without end', () => {
    assert.equal(isTrue('proc.name in (bash)', bash, `- list: bash\n  items: [bash, sh]\n`), true);
    let text = '- list: l0\n  items: [a, b, c, d, e, f, g, h, i, j]\n';
    for (let level = 1; level < 12; level++)
      text += `- list: l${level}\n  items: [${`l${level - 1}, `.repeat(9)}l${level - 1}]\n`;
    const [problem = ''] = problemsOf(load(text + ruleText('proc.name in (l11)')));
    assert.match(problem, /too-large list 'l\d' has more than 100000 items/);
  });

  test('numbers stay as they are written', () => {
    const event = makeEvent({ result: 8080 });
    assert.equal(isTrue('evt.rawres in (ports)', event, '- list: ports\n  items: [0x50, 8080]\n'), true);
  });
});

describe('macros', () => {
  test('are expanded in the tree, not as text', () => {
    const macro = '- macro: either\n  condition: proc.name = x or proc.name = bash\n';
    assert.equal(isTrue('proc.name = y and either', bash, macro), false);
    assert.equal(isTrue('not either', bash, macro), false);
  });

  test('see macros before them, and rules see all', () => {
    const late = '- macro: m\n  condition: proc.name = bash\n';
    assert.deepEqual(verdicts(ruleText('m') + late), [false, true]);
    const wrong = `- macro: user\n  condition: m and proc.name exists\n${late}${ruleText('user')}`;
    assert.deepEqual(problemsOf(load(wrong)), ["a.yaml:2:14 unknown-macro macro 'm' is defined only later"]);
  });

  test('conditions may be as deep as they may be written', () => {
    const deep = (levels: number) =>
      'proc.pid > 0 and (proc.name = x or ('.repeat(levels) + 'proc.name = bash' + '))'.repeat(levels);
    assert.deepEqual(verdicts(ruleText(deep(499))), [false, true]);
    const macro = `- macro: half\n  condition: ${deep(300)}\n`;
    const twice = ruleText(`proc.pid > 0 and (proc.name = y or (${deep(300)} and half))`);
    assert.deepEqual(verdicts(macro + twice), [false, true]);
    const more = ruleText(deep(300).replace('proc.name = bash', 'half'));
    assert.match(problemsOf(load(macro + more)).join(), /too-large the condition of rule 'r' is too large/);
  });

  test('a later definition replaces an earlier one for everybody', () => {
    const file = `- macro: m\n  condition: proc.name = bash\n- macro: n\n  condition: m\n${ruleText('n')}`;
    assert.deepEqual(verdicts(file, '- macro: m\n  condition: proc.name = cat\n'), [true, false]);
  });

  test('that contain themselves, or grow without end, are refused', () => {
    const loop = '- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a\n';
    const text = `${loop}- macro: a\n  condition: b or proc.name = y\n  override:\n    condition: replace\n`;
    assert.match(
      problemsOf(load(text + ruleText('a'))).join(),
      /macro 'a' contains itself|macro 'b' contains itself/,
    );
    let doubled = '- macro: m0\n  condition: proc.name = x or not proc.exe = y and proc.pid > 3\n';
    for (let level = 1; level < 40; level++)
      doubled += `- macro: m${level}\n  condition: not (m${level - 1} and not m${level - 1}) and (m${level - 1} or proc.pid = ${level})\n`;
    assert.match(problemsOf(load(doubled + ruleText('m39'))).join(), /too-large/);
  });
});

describe('append and override', () => {
  const base = ruleText('proc.name = bash', '  tags: [a]\n');

  test('append: true adds the new text behind a blank', () => {
    const more = '- rule: r\n  append: true\n  condition: or proc.name = cat\n';
    assert.deepEqual(verdicts(base, more), [true, true]);
    assert.match(problemsOf(load(base, more), 'warnings').join(), /b1.yaml:2:11 deprecated 'append' is old/);
  });

  test('append: true changes condition and exceptions alone, and says so', () => {
    const more =
      '- rule: r\n  append: true\n  condition: and proc.pid = 1\n  enabled: false\n  priority: DEBUG\n';
    const [rule] = rulesOf(base, more);
    assert.deepEqual([rule?.isEnabled, rule?.priority], [true, 'Notice']);
    assert.match(
      problemsOf(load(base, more), 'warnings').join(),
      /enabled, priority of rule 'r' are left out/,
    );
  });

  test('a macro or a list that is replaced before it is there is defined, a rule is not', () => {
    const macro = '- macro: m\n  condition: proc.name = bash\n  override: {condition: replace}\n';
    assert.deepEqual(verdicts(macro + ruleText('m')), [false, true]);
    const list = '- list: l\n  items: [bash]\n  override: {items: replace}\n';
    assert.deepEqual(verdicts(list + ruleText('proc.name in (l)')), [false, true]);
    const rule = '- rule: x\n  desc: d\n  override: {desc: replace}\n';
    assert.match(problemsOf(load(rule)).join(), /there is no rule 'x' before/);
    assert.match(problemsOf(load(list.replace('replace', 'append'))).join(), /there is no list 'l' before/);
  });

  test('override appends or replaces key by key', () => {
    const more =
      '- rule: r\n  condition: and proc.pid = 1\n  priority: debug\n  output: ", and more"\n  tags: [b]\n  enabled: false\n' +
      '  override: {condition: append, priority: replace, output: append, tags: append, enabled: replace}\n';
    const [rule] = rulesOf(base, more);
    assert.deepEqual(verdicts(base, more), [false, false]);
    assert.deepEqual([rule?.priority, rule?.tags, rule?.isEnabled], ['Debug', ['a', 'b'], false]);
    assert.equal(rule?.output.format(cat), 'o , and more');
  });

  test('lists and macros too', () => {
    const file = `- list: l\n  items: [bash]\n- macro: m\n  condition: proc.name in (l)\n${ruleText('m')}`;
    const list = '- list: l\n  items: [cat]\n  override:\n    items: append\n';
    assert.deepEqual(verdicts(file, list), [true, true]);
    assert.deepEqual(verdicts(file, list.replace('append', 'replace')), [true, false]);
    const macro = '- macro: m\n  condition: and proc.pid = 1\n  override:\n    condition: append\n';
    assert.deepEqual(verdicts(file, macro), [false, false]);
  });

  test('what cannot be overridden is refused', () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ['- rule: x\n  condition: a\n  append: true\n', /there is no rule 'x' before/],
      ['- rule: r\n  priority: DEBUG\n  override: {priority: append}\n', /'priority' cannot be appended to/],
      [
        '- rule: r\n  priority: DEBUG\n  desc: x\n  override: {desc: append}\n',
        /does not say how 'priority'/,
      ],
      ['- rule: r\n  override: {desc: append}\n', /'desc' is to be overridden, but is missing/],
      ['- rule: r\n  desc: x\n  append: true\n  override: {desc: append}\n', /exclude each other/],
      ['- macro: m\n  condition: a\n  override: {items: append}\n', /unknown key 'items'/],
      ['- rule: r\n  desc: x\n  override: {desc: add}\n', /must be one of append, replace/],
    ];
    for (const [text, message] of cases) assert.match(problemsOf(load(base, text)).join(), message, text);
  });

  test('a rule that is defined again is another one at the same place', () => {
    const other = ruleText('proc.name = cat').replace('rule: r', 'rule: s');
    const names = rulesOf(base + other, ruleText('proc.name = x')).map(({ name }) => name);
    assert.deepEqual(names, ['r', 's']);
  });

  test('nothing but enabled: switches it', () => {
    assert.equal(rulesOf(base, '- rule: r\n  enabled: no\n')[0]?.isEnabled, false);
  });
});

describe('exceptions', () => {
  const withException = (text: string) => ruleText('proc.name exists', `  exceptions:\n${text}`);

  test('one field: a flat list, compared with in', () => {
    const text = withException('    - name: e\n      fields: proc.name\n      values: [bash, "a b"]\n');
    assert.deepEqual(verdicts(text), [true, false]);
    const path = withException(
      '    - name: e\n      fields: proc.exepath\n      comps: pmatch\n      values: [/usr/bin]\n',
    );
    assert.deepEqual(verdicts(path), [false, false]);
  });

  test('several fields: tuples, compared with =', () => {
    const text = withException(
      '    - name: e\n      fields: [proc.name, proc.pid]\n      values:\n        - [bash, 100]\n        - [cat, 5]\n',
    );
    assert.deepEqual(verdicts(text), [true, false]);
  });

  test('comps for each field, lists in tuples, names of lists', () => {
    const list = '- list: l\n  items: [cat, dog]\n';
    const text = withException(
      '    - name: e\n      fields: [proc.name, proc.exepath, proc.pid]\n      comps: [in, startswith, "="]\n' +
        '      values:\n        - [l, /usr/, 100]\n        - [[bash, zsh], /opt, 100]\n',
    );
    assert.deepEqual(verdicts(list + text), [false, true]);
  });

  test('without values it is nothing; values can be added from elsewhere', () => {
    const text = withException('    - name: e\n      fields: [proc.name]\n');
    assert.deepEqual(verdicts(text), [true, true]);
    const more =
      '- rule: r\n  exceptions:\n    - name: e\n      values: [[bash]]\n  override: {exceptions: append}\n';
    assert.deepEqual(verdicts(text, more), [true, false]);
    const other =
      '- rule: r\n  exceptions:\n    - name: f\n      fields: proc.name\n      values: [cat]\n  override: {exceptions: append}\n';
    assert.deepEqual(verdicts(text, more, other), [false, false]);
  });

  test('a value may be a transformer, and so may a field; the name of a field is a text, with a warning', () => {
    const event = 'proc.exe = cat and proc.name exists';
    const value = ruleText(
      event,
      '  exceptions:\n    - {name: e, fields: [proc.name], values: [["tolower(proc.exe)"]]}\n',
    );
    assert.deepEqual(verdicts(value), [false, true]);
    const field = ruleText(
      event,
      '  exceptions:\n    - {name: e, fields: [toupper(proc.name)], values: [[BASH]]}\n',
    );
    assert.deepEqual(verdicts(field), [true, false]);
    const name = ruleText(
      event,
      '  exceptions:\n    - {name: e, fields: [proc.name], values: [[proc.exe]]}\n',
    );
    assert.deepEqual(verdicts(name), [true, true]);
    assert.match(
      problemsOf(load(name), 'warnings').join(),
      /value 'proc.exe' is a text here, although a field has this name/,
    );
  });

  test('two with one name are two, with a warning', () => {
    const exception = (value: string) => `    - {name: e, fields: proc.name, values: [${value}]}\n`;
    const text = withException(exception('bash') + exception('cat'));
    assert.deepEqual(verdicts(text), [false, false]);
    assert.match(problemsOf(load(text), 'warnings').join(), /exception 'e' is there twice/);
  });

  test('the condition is one: an or in it does not escape them', () => {
    const text = ruleText(
      'proc.name = cat or proc.name = bash',
      '  exceptions:\n    - {name: e, fields: proc.pid, values: [100]}\n',
    );
    assert.deepEqual(verdicts(text), [false, false]);
  });

  test('mistakes', () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ['    - {name: e, values: [x]}\n', /exception 'e' has no 'fields'/],
      [
        '    - {name: e, fields: proc.name, comps: startswith, values: [x]}\n',
        /compared with in, intersects/,
      ],
      ['    - {name: e, fields: [proc.name, proc.pid], comps: [in]}\n', /there are 2 fields and 1 comps/],
      ['    - {name: e, fields: [proc.name, proc.pid], values: [x]}\n', /must be a list of 2/],
      ['    - {name: e, fields: proc.nam, values: [x]}\n', /unknown field 'proc.nam'/],
      ['    - {name: e, fields: proc.name, comps: like, values: [x]}\n', /'like' is no operator/],
      ['    - {name: e, fields: proc.name, valuse: [x]}\n', /unknown key 'valuse'/],
    ];
    for (const [text, message] of cases)
      assert.match(problemsOf(load(withException(text))).join(), message, text);
  });
});

describe('places', () => {
  test('of a mistake in a folded condition: line and column of the file', () => {
    const text =
      '- rule: r\n  desc: d\n  condition: >\n    proc.name = x\n    and proc.nmae = y\n  output: o\n  priority: INFO\n';
    const [file] = load(text).files;
    const [problem] = file?.errors ?? [];
    assert.deepEqual(problem, {
      code: 'unknown-field',
      message: "unknown field 'proc.nmae'",
      file: 'a.yaml',
      line: 5,
      column: 9,
      text: 'proc.nmae',
      suggestion: 'proc.name',
    });
  });

  test('of every style of text', () => {
    const styles = [
      '|\n    a.b\n    and x.y = 1',
      '>-\n    a.b\n\n    x',
      '"proc.name = \\"q\\" and x.y = 1"',
      "'proc.name = ''q'' and x.y = 1'",
    ];
    const places = styles.map((style) => {
      const text = `- rule: r\n  desc: d\n  condition: ${style}\n  output: o\n  priority: INFO\n`;
      return problemsOf(load(text))[0]?.split(' ')[0];
    });
    assert.deepEqual(places, ['a.yaml:5:5', 'a.yaml:6:5', 'a.yaml:3:37', 'a.yaml:3:37']);
  });

  test('of a mistake in a macro: there, once, however many rules name it', () => {
    const text = `- macro: m\n  condition: (proc.pid = x)\n${ruleText('m')}${ruleText('m').replace('rule: r', 'rule: s')}`;
    assert.deepEqual(problemsOf(load(text)), ['a.yaml:2:26 value expected a number']);
  });

  test('of an item of a list, and of text that was appended from another file', () => {
    const list = '- list: ports\n  items: [80, http]\n';
    assert.deepEqual(problemsOf(load(list + ruleText('evt.rawres in (ports)'))), [
      'a.yaml:2:15 value expected a number',
    ]);
    const more = '- rule: r\n  condition: and proc.pid = x\n  override:\n    condition: append\n';
    assert.deepEqual(problemsOf(load(ruleText('proc.name = x'), more)), [
      'b1.yaml:2:29 value expected a number',
    ]);
  });
});

describe('files', () => {
  test('YAML that is none is told with its line', () => {
    const [problem = ''] = problemsOf(load('- rule: r\n  desc: [a\n- macro: b\n'));
    assert.match(problem, /^a\.yaml:\d+:\d+ yaml /);
    assert.deepEqual(problemsOf(load('rule: x')), [
      'a.yaml:1:1 item a rule file must be a list of rules, macros and lists',
    ]);
    assert.deepEqual(problemsOf(load('')), []);
    assert.deepEqual(problemsOf(load('# nothing\n---\n- list: l\n  items: []\n')), []);
  });

  test('unknown keys and items are errors, with the nearest', () => {
    const [rule] = load(ruleText('proc.name = x', '  tag: [a]\n')).files[0]?.errors ?? [];
    assert.deepEqual([rule?.message, rule?.suggestion], ["unknown key 'tag' in a rule", 'tags']);
    const [item] = load('- rul: x\n').files[0]?.errors ?? [];
    assert.deepEqual([item?.code, item?.suggestion], ['item', 'rule']);
  });

  test('what is missing or of a wrong kind', () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ['- rule: r\n  desc: d\n  output: o\n  priority: INFO\n', /'condition' is missing in rule 'r'/],
      [ruleText('').replace('NOTICE', 'HIGH'), /'condition' is empty/],
      [ruleText('proc.name = x').replace('NOTICE', 'HIGH'), /'priority' must be one of Emergency/],
      [ruleText('proc.name = x', '  enabled: maybe\n'), /'enabled' must be true or false/],
      [ruleText('proc.name = x', '  tags: a\n'), /'tags' must be a list/],
      [
        ruleText('proc.name = x', '  respond: [nuke]\n'),
        /there is no response 'nuke': they are kill, contain, block/,
      ],
      [ruleText('proc.name = x', '  capture_duration: soon\n'), /must be milliseconds/],
      ['- list: l\n', /'items' is missing/],
      ['- macro: "a b"\n  condition: proc.name = x\n', /must begin with a letter/],
      ['- just text\n', /an item must have keys/],
    ];
    for (const [text, message] of cases) assert.match(problemsOf(load(text)).join(), message, text);
  });

  test('priorities in any case, Info for short', () => {
    for (const [word, name] of [
      ['critical', 'Critical'],
      ['INFO', 'Informational'],
      ['Debug', 'Debug'],
    ] as const)
      assert.equal(rulesOf(ruleText('proc.name = x').replace('NOTICE', word))[0]?.priority, name);
  });

  test('a newer engine is refused, with the whole file', () => {
    for (const version of ['0.63.0', '63', '0.9.0', '"12"'])
      assert.deepEqual(problemsOf(load(`- required_engine_version: ${version}\n`)), [], version);
    for (const version of ['0.64.0', '64', '1.0.0', '0.63.1']) {
      const loaded = load(`- required_engine_version: ${version}\n${ruleText('proc.name = x')}`);
      assert.match(problemsOf(loaded).join(), /engine-version the file needs version/, version);
      assert.equal(loaded.rules.length, 0);
    }
    assert.match(
      problemsOf(load('- required_engine_version: new\n')).join(),
      /must be a number or a version/,
    );
  });

  test('plugins that are not built in are a warning', () => {
    const text =
      '- required_plugin_versions:\n  - {name: container, version: 0.4.0}\n  - {name: json, version: 0.1.0}\n';
    assert.deepEqual(problemsOf(load(text), 'warnings'), [
      "a.yaml:3:12 plugin there is no plugin 'json' here",
    ]);
  });

  test('rules of other sources are left out, with a warning', () => {
    const loaded = load(ruleText('ka.verb = x', '  source: k8s_audit\n'));
    assert.equal(loaded.rules.length, 0);
    assert.match(problemsOf(loaded, 'warnings').join(), /there is no source 'k8s_audit' here/);
  });

  test('a rule that may be skipped for a field that is unknown is', () => {
    const text = ruleText('new.field = x', '  skip-if-unknown-filter: true\n');
    assert.equal(load(text).hasErrors, false);
    assert.match(
      problemsOf(load(text), 'warnings').join(),
      /is left out, as it asks: unknown field 'new.field'/,
    );
  });
});

test('a byte order mark in front of a file is no part of it', () => {
  const loaded = load(`\ufeff${ruleText('evt.type = execve and proc.nmae = x')}`);
  assert.deepEqual(problemsOf(loaded), ["a.yaml:4:27 unknown-field unknown field 'proc.nmae'"]);
  assert.equal(load(`\ufeff${ruleText('evt.type = execve')}`).rules.length, 1);
});

describe('what no event has', () => {
  test('a field without an answer is a warning with its reason, with --strict an error', () => {
    const text = ruleText('proc.name = x and proc.vpid != 0').replace(
      'output: o',
      'output: "%proc.nthreads"',
    );
    const loaded = load(text);
    assert.equal(loaded.hasErrors, false);
    assert.deepEqual(problemsOf(loaded, 'warnings'), [
      'a.yaml:4:23 unanswered-field proc.vpid has no value yet: ids inside of namespaces, and when these began, are not captured',
      'a.yaml:5:13 unanswered-field proc.nthreads has no value yet: threads, children, cgroup paths and resources are not kept',
      "a.yaml:1:3 never-fires rule 'r' can never fire: what it asks for has no value yet",
    ]);
    assert.equal(loadRules([new RuleSource('a', text)], { isStrict: true }).files[0]?.errors.length, 3);
  });

  test('fields that the reference engine documents and no event answers are known by name', () => {
    for (const field of [
      'syslog.severity.str',
      'syslog.message',
      'fdlist.names',
      'evt.buflen.net.in',
      'evt.asynctype',
      'k8s.rc.name',
      'k8s.svc.name',
      'k8s.ns.label[app]',
      'k8s.deployment.label.app',
      'k8s.rs.labels',
      'thread.cgroup.cpu',
      'entity.risk',
      'behavior.kind',
    ]) {
      const text = ruleText(`evt.type = execve and (proc.name = x or ${field} exists)`);
      const loaded = load(text);
      assert.equal(loaded.hasErrors, false, field);
      const name = field.replace(/\[.*/, '').replaceAll('.', '\\.');
      assert.match(
        problemsOf(loaded, 'warnings').join(),
        new RegExp(`^\\S+ unanswered-field ${name} has no value yet: `),
      );
      const [strict] = loadRules([new RuleSource('a', text)], { isStrict: true }).files;
      assert.deepEqual(
        strict?.errors.map(({ code }) => code),
        ['unanswered-field'],
      );
    }
  });

  test("'not' of such a field is true of every event, which is said", () => {
    const told = (condition: string, more = '') =>
      problemsOf(load(ruleText(`evt.type = execve and ${condition}`, more)), 'warnings')
        .filter((line) => line.includes('excludes-nothing'))
        .map((line) => line.replace(/ has no value yet, so .*: it excludes nothing from/, ' from'));
    const from = "from rule 'r'";
    assert.deepEqual(told('not proc.vpid = 1'), [`a.yaml:4:31 excludes-nothing proc.vpid ${from}`]);
    assert.deepEqual(told('not proc.vpid != 1').length, 1);
    assert.deepEqual(told('not syslog.message exists').length, 1);
    assert.deepEqual(told('not (proc.name = x or not (proc.name = y or syslog.message exists))').length, 0);
    assert.deepEqual(told('not (proc.name = x or (proc.name = y and evt.arg.tty = 1))').length, 1);
    assert.deepEqual(told('not proc.pid = val(proc.vpid)').length, 1);
    assert.deepEqual(told('(proc.vpid != 1 or proc.name = x)'), []);
    const exceptions = '  exceptions:\n    - {name: e, fields: proc.vpid, values: [1]}\n';
    assert.deepEqual(told('proc.name = x', exceptions).length, 1);
    const strict = loadRules([new RuleSource('a', ruleText('evt.type = execve and not proc.vpid = 1'))], {
      isStrict: true,
    });
    assert.deepEqual(
      strict.files[0]?.errors.map(({ code }) => code),
      ['unanswered-field', 'excludes-nothing'],
    );
    const filter = parseFilter('not proc.vpid = 1');
    assert.ok(filter.isValid);
    assert.match(
      filter.warnings.map(({ message }) => message).join(),
      /excludes nothing from the condition$/,
    );
  });

  test('so is an argument that no event has', () => {
    assert.deepEqual(
      problemsOf(load(ruleText('evt.type = openat and evt.arg.name = x and evt.arg.tty = 1')), 'warnings'),
      [
        'a.yaml:4:48 unanswered-field evt.arg.tty has no value yet: no event that is told has this argument',
        "a.yaml:1:3 never-fires rule 'r' can never fire: what it asks for has no value yet",
      ],
    );
  });

  test('an event type that is not told is one, too', () => {
    const told = problemsOf(load(ruleText('evt.type = sysinfo')), 'warnings');
    assert.match(
      told.join(),
      /unanswered-event rule 'r' can never fire: events of type sysinfo are not told yet/,
    );
    const named = problemsOf(load(ruleText('evt.type = open')), 'warnings');
    assert.match(named.join(), /ask for openat, as which they are told/);
    assert.deepEqual(problemsOf(load(ruleText('evt.type in (open, openat)')), 'warnings'), []);
  });
});

describe('event types of a rule', () => {
  const typesOf = (condition: string) => {
    const [rule] = rulesOf(ruleText(condition));
    return [...(rule?.types ?? [])].map((type) => EVENT_TYPES[type]);
  };

  test('through and, or and not', () => {
    assert.deepEqual(typesOf('evt.type = openat and proc.name = x'), ['openat']);
    assert.deepEqual(typesOf('evt.type in (execve, openat)'), ['execve', 'openat']);
    assert.deepEqual(
      typesOf('(evt.type = openat and proc.name = x) or (evt.type=execve and not proc.name=y)'),
      ['execve', 'openat'],
    );
    assert.equal(typesOf('evt.type = openat or proc.name = x').length, EVENT_TYPES.length);
    assert.equal(typesOf('not evt.type = openat').length, EVENT_TYPES.length - 1);
    assert.equal(typesOf('not (evt.type = openat and proc.name = x)').length, EVENT_TYPES.length);
    assert.equal(typesOf('not (evt.type = openat or proc.name = x)').length, EVENT_TYPES.length - 1);
    assert.deepEqual(typesOf('evt.type startswith http_'), ['http_request', 'http_response']);
    assert.deepEqual(typesOf('evt.type.is.openat = 1'), ['openat']);
  });

  test('none, or more than a hundred, is a warning, unless the rule asks for none', () => {
    assert.match(
      problemsOf(load(ruleText('proc.name = x')), 'warnings').join(),
      /event-types rule 'r' runs on \d+ event types/,
    );
    assert.match(
      problemsOf(load(ruleText('evt.type = openat and evt.type = execve')), 'warnings').join(),
      /never fire/,
    );
    assert.deepEqual(problemsOf(load(ruleText('proc.name = x', '  warn_evttypes: false\n')), 'warnings'), []);
  });

  test('a type that is none is an error', () => {
    const [problem] = load(ruleText('evt.type in (opne)')).files[0]?.errors ?? [];
    assert.deepEqual([problem?.message, problem?.suggestion], ["there is no event type 'opne'", 'open']);
  });
});

test('counts by file, and every problem in its own', () => {
  const { files } = load(
    `- list: l\n  items: [x]\n${ruleText('proc.name in (l)')}`,
    '- macro: m\n  condition: a.b = 1\n',
  );
  assert.deepEqual(
    files.map(({ file, rules, macros, lists, errors }) => [file, rules, macros, lists, errors.length]),
    [
      ['a.yaml', 1, 0, 1, 0],
      ['b1.yaml', 0, 1, 0, 1],
    ],
  );
});

test('whatever a file holds, it is loaded or refused', () => {
  const line = fc.constantFrom(
    ...[
      '- rule: r',
      '- macro: m',
      '- list: l',
      '  desc: d',
      '  condition: m',
      '  condition: proc.name in (l)',
      '  output: "%proc.name"',
    ],
    ...[
      '  priority: INFO',
      '  items: [a, l]',
      '  append: true',
      '  override:',
      '    condition: append',
      '  exceptions:',
      '  - name: e',
    ],
    ...[
      '    fields: proc.name',
      '    values: [x]',
      '---',
      '&a [*a]',
      '  tags: *a',
      '{',
      '\t',
      '? x',
      '- [[[',
      '  condition: >',
      '    and m',
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string({ maxLength: 8 }))), (lines) => {
      const loaded = load(lines.join('\n'));
      for (const { errors, warnings } of loaded.files)
        for (const problem of [...errors, ...warnings]) assert.ok(problem.line >= 1 && problem.column >= 1);
    }),
    { numRuns: 1000 },
  );
});
