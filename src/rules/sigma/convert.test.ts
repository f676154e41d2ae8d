import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import { RuleSource } from '../text.ts';
import { importSigma } from './convert.ts';
import { makeEvent, makeProcess } from '../testing.ts';
import { conditionOf, importOne, ruleSetOf, sigmaText } from './testing.ts';

/** Detections of processes and what their conditions come to. */
const CONVERTED: Readonly<Record<string, string>> = {
  's: {Image: /usr/bin/curl}': 'proc.exepath iglob "/usr/bin/curl"',
  's: {Image|cased: /usr/bin/curl}': 'proc.exepath = "/usr/bin/curl"',
  's: {Image|endswith: [/sh, /bash]}': 'proc.exepath iglob anyof ("*/sh", "*/bash")',
  's: {Image|endswith|cased: /sh}': 'proc.exepath endswith "/sh"',
  's: {CommandLine|contains: "../"}': 'proc.exeline contains "../"',
  's: {CommandLine|contains|all: [" -i ", /tmp/]}': 'proc.exeline icontains allof (" -i ", "/tmp/")',
  's: {CommandLine|startswith: "cat "}': 'proc.exeline iglob "cat *"',
  's: {CommandLine|startswith|cased: "cat "}': 'proc.exeline startswith "cat "',
  // Wildcards, and characters that are some in a glob of ours or not in Sigma.
  "s: {CommandLine: 'a*b'}": 'proc.exeline iglob "a*b"',
  "s: {CommandLine: 'a\\*b'}": 'proc.exeline iglob "a\\\\*b"',
  "s: {CommandLine: 'a\\\\*b'}": 'proc.exeline iglob "a\\\\\\\\*b"',
  "s: {CommandLine: '[x]'}": 'proc.exeline iglob "\\\\[x]"',
  "s: {CommandLine: '1\\2'}": 'proc.exeline = "1\\\\2"',
  "s: {CommandLine: 'a?c'}": 'proc.exeline regex "(?is)a.c"',
  "s: {CommandLine|contains: 'Ärger'}": 'proc.exeline regex "(?is).*Ärger.*"',
  "s: {CommandLine|contains: '日本'}": 'proc.exeline contains "日本"',
  "s: {CommandLine: '*'}": 'proc.exeline exists',
  "s: {CommandLine: ''}": 'proc.exeline = ""',
  's: {User: null}': 'not user.name exists',
  's: {User: [null, root]}': '(not user.name exists or user.name iglob "root")',
  's: {User|exists: true}': 'user.name exists',
  's: {User|exists: false}': 'not user.name exists',
  's: {ProcessId: 1}': 'proc.pid = 1',
  's: {ProcessId: [1, "2"]}': 'proc.pid in (1, 2)',
  's: {ProcessId|gte: 10, ParentProcessId|lt: 3}': 'proc.pid >= 10 and proc.ppid < 3',
  's: {Image|neq: /bin/sh}': 'not proc.exepath iglob "/bin/sh"',
  "s: {CommandLine|re: 'ab+c'}": 'proc.exeline regex "(?s:.*)(?:ab+c)(?s:.*)"',
  "s: {CommandLine|re|i|m: '^ab$'}": 'proc.exeline regex "(?s:.*)(?im:^ab$)(?s:.*)"',
  's: {CommandLine|base64: "curl x"}': 'proc.exeline iglob "Y3VybCB4"',
  's: {CommandLine|base64offset|contains: /bin/bash}':
    'proc.exeline icontains anyof ("L2Jpbi9iYXNo", "9iaW4vYmFza", "vYmluL2Jhc2")',
  's: {CommandLine|wide|base64offset|contains: ab}':
    'proc.exeline icontains anyof ("YQBiA", "EAYg", "hAGIA")',
  's: {CommandLine|windash|contains: " -x"}':
    'proc.exeline regex "(?is).* [-/\\xe2\\x80\\x93\\xe2\\x80\\x94\\xe2\\x80\\x95]x.*"',
  's: {Image|fieldref: ParentImage}': 'tolower(proc.exepath) = tolower(proc.pexepath)',
  's: {CurrentDirectory: /tmp}': 'proc.cwd iglob "/tmp/"',
  's: {CurrentDirectory|startswith: /tmp}': 'proc.cwd iglob "/tmp*"',
  's: {User|expand: "%admins%"}': 'user.name iglob anyof (sigma_admins)',
  // A word inside a text that may be the name of a list is told so that it is none.
  's: {CommandLine|contains: "rm shells now"}': 'proc.exeline icontains "rm\\x20shells now"',
  's: [{User: a1}, {User: 7}]': '(user.name iglob "a1" or user.name = "7")',
  's: {"User": a}\nt: {User: b}\ncondition: s or t': '(user.name iglob "a" or user.name iglob "b")',
  's: {User: 1}\nt: {User: 2}\nu: {User: 3}\ncondition: s or t and not u':
    '(user.name = "1" or (user.name = "2" and not user.name = "3"))',
  's: {User: 1}\nt: {User: 2}\ncondition: NOT (s OR not t)': 'not (user.name = "1" or not user.name = "2")',
  's_a: {User: 1}\ns_b: {User: 2}\n_s: {User: 3}\ncondition: 1 of s_* and all of them':
    '(user.name = "1" or user.name = "2") and user.name = "1" and user.name = "2"',
  's: {User: 1}\nt: {User: 2}\ncondition: [s, t]': '(user.name = "1" or user.name = "2")',
  's: {User: 1}\ncondition: not not s': 'user.name = "1"',
};

suite('detections', () => {
  for (const [detection, condition] of Object.entries(CONVERTED))
    test(detection.replaceAll('\n', '; '), () => assert.equal(conditionOf(sigmaText(detection)), condition));

  test('a search without a field looks into every text of the event', () => {
    const text = sigmaText('s: [abc, d*f]\ncondition: s', 'category: file_event, product: linux');
    const condition = conditionOf(text);
    for (const field of ['fd.name', 'proc.exepath', 'user.name']) {
      assert.ok(condition.includes(`${field} icontains "abc"`), condition);
      assert.ok(condition.includes(`${field} iglob "*d*f*"`), condition);
    }
    assert.deepEqual(
      importOne(text).notes.map(({ code }) => code),
      ['approximation'],
    );
    assert.match(conditionOf(sigmaText("s: {'|all': [a, b]}")), /"a" or .* and \(.*"b" or /);
  });

  test('connections: who made it, ends and networks', () => {
    const net = 'category: network_connection, product: linux';
    const condition = (detection: string) =>
      conditionOf(sigmaText(detection, net)).split(' EINPROGRESS) and ')[1];
    assert.equal(
      condition('s: {Initiated: "true", DestinationPort: 22, DestinationIp|cidr: [10.0.0.0/8, fd00::/8]}'),
      'evt.type = connect and fd.sport = 22 and (fd.snet = "10.0.0.0/8" or fd.snet = "fd00::/8")',
    );
    assert.equal(
      condition("s: {SourceIp|startswith: '10.1.', Protocol: tcp}"),
      'fd.cnet = "10.1.0.0/16" and fd.l4proto iglob "tcp"',
    );
    assert.equal(
      condition("s: {DestinationIp: ['192.168.*', '::1']}"),
      '(fd.snet = "192.168.0.0/16" or fd.sip = "::1")',
    );
  });

  test('single arguments of records of auditd, on programs that run', () => {
    const arguments_ =
      "s: {type: EXECVE, a0: chmod, a1|contains: '+S', a2: '/srv/*'}\nf: {a3|startswith: x}\ncondition: s and not f";
    const { yaml, notes } = importOne(sigmaText(arguments_, 'service: auditd, product: linux'));
    assert.deepEqual(
      notes.map(({ code }) => code),
      ['approximation'],
    );
    const set = ruleSetOf(yaml ?? '');
    const fires = (...argv: readonly string[]) => {
      let count = 0;
      set.evaluate(makeEvent({ process: makeProcess({ argv }) }), () => count++);
      return count === 1;
    };
    assert.ok(fires('chmod', 'u+s', '/srv/app'));
    assert.ok(fires('chmod', 'u+s', '/srv/', 'y'));
    assert.ok(!fires('chmod', 'u+s', '/srv/app', 'x'));
    assert.ok(!fires('chmod', '0755', 'u+s', '/srv/app'));
    assert.ok(!fires('chmod', 'u+s', '/usr/app'));
    assert.ok(!fires('chmod'));
  });

  test('records of auditd', () => {
    const audit = 'service: auditd, product: linux';
    assert.equal(conditionOf(sigmaText('s: {type: EXECVE, a0: nc}', audit)), 'proc.exe iglob "nc"');
    assert.equal(
      conditionOf(sigmaText('s: {a1|startswith: --x=, a2: "*.c?", a3: null, a4|cased: B}', audit)),
      'proc.exeline regex "(?is)(?:[^ ]* ){1}--x=[^ ]*(?: .*)?"' +
        ' and proc.exeline regex "(?is)(?:[^ ]* ){2}[^ ]*\\\\.c[^ ](?: .*)?"' +
        ' and not proc.cmdnargs >= 3 and proc.exeline regex "(?s)(?:[^ ]* ){4}B(?: .*)?"',
    );
    assert.equal(conditionOf(sigmaText('s: {type: SYSCALL, syscall: 101}', audit)), 'evt.type = ptrace');
    assert.equal(
      conditionOf(sigmaText("s: {type: SYSCALL, syscall: [bpf, ptrace], success: 'no'}", audit)),
      '(evt.type = bpf or evt.type = ptrace) and evt.failed = true',
    );
  });
});

/** What cannot be converted, and what is said of it. */
const REFUSED: readonly (readonly [text: string, code: string, message: RegExp, line?: number])[] = [
  [sigmaText('s: {Foo: 1}'), 'field', /no event has the field 'Foo'/, 4],
  [sigmaText('s: {Imagee: 1}'), 'field', /did you mean Image\?/],
  [sigmaText('s: {Hashes|contains: x}'), 'field', /hashes of files are not computed/],
  [sigmaText('s: {Image|sounds: x}'), 'modifier', /'sounds' is not supported/],
  [sigmaText('s: {Image|contains|startswith: x}'), 'modifier', /contains and startswith exclude each other/],
  [sigmaText('s: {Image|contains|base64: x}'), 'modifier', /base64 must stand in front/],
  [sigmaText('s: {Image|wide|contains: x}'), 'modifier', /exclude each other/],
  [sigmaText('s: {Image|base64: "a*"}'), 'value', /has wildcards/],
  [sigmaText("s: {Image|re: '(?=a)b'}"), 'pattern', /RE2 does not take the pattern/],
  [sigmaText("s: {Image|re: '(a)\\1'}"), 'pattern', /RE2 does not take the pattern/],
  [sigmaText('s: {Image|cidr: 10.0.0.0/8}'), 'modifier', /cidr does not go with 'Image'/],
  [sigmaText('s: {ProcessId: 1*}'), 'value', /is no whole number/],
  [sigmaText('s: {ProcessId|contains: 1}'), 'modifier', /contains does not go with 'ProcessId'/],
  [sigmaText('s: {Image|lt: 1}'), 'modifier', /lt does not go with 'Image'/],
  [sigmaText('s: {Image: []}'), 'value', /has no values/],
  [sigmaText('s: {Image: {a: b}}'), 'selection', /must be a list of texts/],
  [sigmaText('s: {}'), 'selection', /is empty/],
  [sigmaText('s: {Image: a}\ncondition: t'), 'condition', /there is no selection 't'/, 5],
  [sigmaText('s: {Image: a}\ncondition: 2 of s*'), 'condition', /only '1 of', 'any of' and 'all of'/],
  [sigmaText('s: {Image: a}\ncondition: 1 of x*'), 'condition', /no selection is named 'x\*'/],
  [sigmaText('s: {Image: a}\ncondition: (s'), 'condition', /never closed/],
  [sigmaText('s: {Image: a}\ncondition: s)'), 'condition', /expected 'and', 'or' or the end/],
  [sigmaText('s: {Image: a}\ncondition: s s'), 'condition', /expected 'and', 'or' or the end/],
  [sigmaText('s: {Image: a}\ncondition: s and'), 'condition', /the name of a selection is missing/],
  [sigmaText('s: {Image: a}\ncondition: s | count() > 5'), 'correlation', /aggregation/],
  [
    sigmaText('s: {Image: a}', 'category: process_creation, product: windows'),
    'source',
    /for 'windows', not for linux/,
  ],
  [sigmaText('s: {Image: a}', 'category: registry_set'), 'source', /the category 'registry_set' is none/],
  [sigmaText('s: [a]', 'product: linux, service: sshd'), 'source', /the log of 'sshd' is none/],
  [sigmaText('s: {type: PATH, name: a}', 'product: linux, service: auditd'), 'source', /of the type 'PATH'/],
  [
    sigmaText('s: {type: EXECVE, a1: x y}', 'product: linux, service: auditd'),
    'value',
    /arguments with blanks/,
  ],
  [sigmaText('s: {exe: x}', 'product: linux, service: auditd'), 'source', /does not say of which type/],
  [sigmaText('s: {type: SYSCALL, a0: x}', 'product: linux, service: auditd'), 'field', /other numbers/],
  [
    sigmaText('s: {type: SYSCALL, syscall: 999}', 'product: linux, service: auditd'),
    'value',
    /there is no system call '999'/,
  ],
  // It would be true of every event there is.
  [sigmaText('s: {type: SYSCALL, exe: /x}', 'product: linux, service: auditd'), 'refused', /event types/],
  ['title: c\ncorrelation: {type: event_count}', 'correlation', /over time/],
  ['title: f\nlogsource: {}\nfilter: {rules: [a]}', 'filter', /filter for other rules/],
  ['title: x', 'no-rule', /it has no detection/],
  ['- a\n- b', 'no-rule', /a rule must have keys/],
  ['a: b: c', 'yaml', /./],
  ['detection: {condition: s, s: {Image: a}, s: {Image: b}}', 'yaml', /stands twice/],
];

suite('what cannot be converted is said, and nothing of it is', () => {
  for (const [text, code, message, line] of REFUSED)
    test(`${code}: ${text.split('\n').slice(3).join('; ') || text}`, () => {
      const rule = importOne(text);
      assert.equal(rule.yaml, null);
      const [problem] = rule.problems;
      assert.equal(problem?.code, code, problem?.message);
      assert.match(problem.message, message);
      if (line !== undefined) assert.equal(problem.line, line);
    });

  test('all reasons at once, of the selections that the condition names', () => {
    const detection = 's: {Foo: 1, Bar: 2}\nt: {Image|bad: x}\nunused: {Baz: 3}\ncondition: s and not t';
    assert.deepEqual(
      importOne(sigmaText(detection)).problems.map(({ message }) => /'(\w+)'/.exec(message)?.[1]),
      ['Foo', 'Bar', 'bad'],
    );
  });
});

test('what the rule says of itself is kept: a key where there is one, else a comment', () => {
  const text = [
    'title: A 100% sure "thing"',
    'id: 5d2c4a10-0000-4000-8000-000000000001',
    'status: test',
    'description: "Sees it.\\nTwo lines, and an \\e escape."',
    'references: [https://example.org/a, https://example.org/b]',
    'author: Ann, Bob',
    'date: 2024-05-01',
    'license: MIT',
    'tags: [attack.privilege-escalation, attack.t1059.004, attack.g0001, cve.2021-44228, "bad tag", detection.x]',
    'falsepositives: [Admins]',
    'level: high',
    'logsource: {product: linux, category: process_creation}',
    'detection: {s: {Image: a}, condition: s}',
  ].join('\n');
  assert.equal(
    importOne(text).yaml,
    [
      '# Converted from a.yml, line 1',
      '# Sigma rule: 5d2c4a10-0000-4000-8000-000000000001',
      '# status: test',
      '# author: Ann, Bob',
      '# date: 2024-05-01',
      '# license: MIT',
      '# reference: https://example.org/a',
      '# reference: https://example.org/b',
      '# false positive: Admins',
      '- rule: "A 100% sure \\"thing\\""',
      '  desc: "Sees it.\\nTwo lines, and an \\u001b escape."',
      '  condition: >-',
      '    evt.type in (execve, execveat)',
      '    and proc.exepath iglob "a"',
      '  output: "A 100%% sure \\"thing\\" (program=%proc.exepath command=%proc.exeline parent=%proc.pexepath user=%user.name pid=%proc.pid cwd=%proc.cwd)"',
      '  priority: ERROR',
      '  tags: [mitre_privilege_escalation, T1059.004, G0001, CVE-2021-44228, detection.x]',
      '',
    ].join('\n'),
  );
});

test('several files and documents: names stay apart, lists stand in front once, deprecated ones are off', () => {
  const one = sigmaText('s: {User|expand: "%admins%"}');
  const old = `${sigmaText('s: {Image: b}')}\nstatus: deprecated`;
  const { rules, yaml } = importSigma([
    new RuleSource('a.yml', `${one}\n---\n${one}`),
    new RuleSource('b.yml', old),
  ]);
  assert.deepEqual(
    rules.map(({ rule, notes }) => [rule, ...notes.map(({ code }) => code)]),
    [
      ['t', 'placeholder'],
      ['t (2)', 'placeholder', 'renamed'],
      ['t (3)', 'disabled', 'renamed'],
    ],
  );
  assert.equal(yaml.match(/^- list: sigma_admins$/gm)?.length, 1);
  assert.ok(yaml.startsWith('# What rules call %admins%'));
  assert.equal(yaml.match(/enabled: false/g)?.length, 1);
});
