import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVENT_TYPES } from './event-types.ts';
import { loadRules } from './load/load-rules.ts';
import { RuleSet } from './rule-set.ts';
import { makeConnection, makeEvent, makeProcess } from './testing.ts';
import { RuleSource } from './text.ts';

/**
 * The rules that people have: Falco's own files. They are not in the repository; FALCO_RULES names the directory, or
 * they lie beside the checkout.
 */
const NAMES = ['falco_rules.yaml', 'falco-incubating_rules.yaml'] as const;
const root = join(import.meta.dirname, '../..');
const directory = [
  process.env['FALCO_RULES'],
  join(root, '../shared/data/falco-rules'),
  join(root, '../../shared/data/falco-rules'),
].find((path) => path !== undefined && existsSync(join(path, NAMES[0])));

function read(name: string): RuleSource {
  return new RuleSource(name, readFileSync(join(directory ?? '', name), 'utf8'));
}

const skip =
  directory === undefined ? "FALCO'S RULE FILES ARE NOT HERE: set FALCO_RULES to their directory" : false;
if (skip !== false) console.error(`\n*** SKIPPED: ${skip}\n`);

test('the files load without an error or an unknown field, one by one and together', { skip }, () => {
  for (const names of [[NAMES[0]], [NAMES[1]], NAMES]) {
    const loaded = loadRules(names.map(read), { isStrict: false });
    assert.deepEqual(
      loaded.files.flatMap(({ errors }) => errors),
      [],
    );
    for (const { warnings } of loaded.files)
      for (const { code } of warnings)
        assert.ok(
          ['unanswered-field', 'partly-answered', 'unanswered-event', 'never-fires', 'unused'].includes(code),
          code,
        );
    const expected = loaded.files.reduce((sum, { rules }) => sum + rules, 0);
    assert.equal(loaded.rules.length, expected);
    assert.ok(loaded.rules.every(({ types }) => types.size > 0 && types.size <= 100));
  }
});

test('event types are those that the conditions name', { skip }, () => {
  const { rules } = loadRules(NAMES.map(read), { isStrict: false });
  const typesOf = (name: string) => {
    const rule = rules.find((one) => one.name === name);
    return [...(rule?.types ?? [])]
      .flatMap((type) => EVENT_TYPES[type] ?? [])
      .toSorted((a, b) => a.localeCompare(b));
  };
  assert.deepEqual(typesOf('Run shell untrusted'), ['execve', 'execveat']);
  assert.deepEqual(typesOf('Directory traversal monitored file read'), ['open', 'openat', 'openat2']);
  assert.deepEqual(typesOf('Disallowed SSH Connection Non Standard Port'), ['connect', 'sendmsg', 'sendto']);
});

test('they fire on what they are about, and not on what is beside it', { skip }, () => {
  const { rules } = loadRules(NAMES.map(read), { isStrict: false });
  const set = new RuleSet(rules, { matching: 'all', onBroken: (_, error) => assert.fail(String(error)) });
  const fired = (event: Parameters<typeof set.evaluate>[0]) => {
    const names: string[] = [];
    set.evaluate(event, ({ name }) => names.push(name));
    return names;
  };
  const nginx = makeProcess({ comm: 'nginx', pid: 10, argv: ['nginx'] });
  const shell = makeProcess({
    comm: 'sh',
    argv: ['sh', '-c', 'id'],
    executable: '/usr/bin/dash',
    parent: nginx,
  });
  assert.ok(fired(makeEvent({ process: shell })).includes('Run shell untrusted'));
  const allowed = makeProcess({
    comm: 'sh',
    argv: ['sh', '-c', 'id'],
    parent: makeProcess({ comm: 'cron' }),
  });
  assert.ok(!fired(makeEvent({ process: allowed })).includes('Run shell untrusted'));

  const reads = (path: string, raw = path, comm = 'cat') =>
    fired(
      makeEvent({
        type: 'openat',
        openFlags: 0,
        descriptor: { name: path, nameRaw: raw, number: 3 },
        process: makeProcess({ comm, parent: nginx }),
      }),
    );
  assert.ok(reads('/etc/shadow').includes('Read sensitive file untrusted'));
  assert.ok(!reads('/etc/hosts').includes('Read sensitive file untrusted'));
  assert.ok(
    reads('/etc/passwd', '/srv/../../etc/passwd').includes('Directory traversal monitored file read'),
  );
  assert.ok(!reads('/etc/passwd').includes('Directory traversal monitored file read'));

  const ssh = (port: number) =>
    fired(
      makeEvent({
        type: 'connect',
        process: makeProcess({ comm: 'ssh', argv: ['ssh', 'x'] }),
        descriptor: makeConnection({ server: { address: '192.0.2.1', port } }),
      }),
    );
  assert.ok(ssh(443).includes('Disallowed SSH Connection Non Standard Port'));
  assert.ok(!ssh(22).includes('Disallowed SSH Connection Non Standard Port'));

  const memfd = makeProcess({ comm: 'x', executable: '/memfd:x (deleted)', argv: ['x'], parent: nginx });
  assert.ok(fired(makeEvent({ process: memfd })).includes('Fileless execution via memfd_create'));
});
