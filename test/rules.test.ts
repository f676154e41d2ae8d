import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { RunSummary } from '../src/cli/contract.ts';
import type { EventView } from '../src/output/views.ts';
import { recordingPath } from './support/fixtures.ts';
import { throughline } from './support/replay.ts';

/** Events of a recording of real servers of which a condition is true. */
function matching(condition: string, name = 'demo'): EventView[] {
  const { code, stdout, stderr } = throughline(['rules', 'try', condition, recordingPath(name), '--json']);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventView);
}

suite('rules on recorded events', () => {
  test('programs that a request started, by a value of its query', () => {
    const attack = matching('evt.type = execve and http.query[host] contains ";" and req.grade = exact');
    const commands = attack.flatMap((event) => (event.type === 'exec' ? [event.argv.join(' ')] : []));
    assert.ok(commands.some((command) => command.startsWith('/bin/sh -c getent')));
    assert.ok(commands.includes('id'));
    assert.ok(commands.includes('cat /etc/hostname'));
    assert.equal(commands.length, attack.length);
    const ordinary = matching('evt.type = execve and http.query[host] = localhost');
    assert.ok(ordinary.length > 0 && ordinary.length < attack.length);
  });

  test('files, opened and not', () => {
    const opened = matching('evt.type in (open, openat) and fd.name = /etc/passwd and fd.num >= 0');
    assert.ok(opened.length > 0);
    assert.ok(opened.every((event) => event.type === 'open' && event.error === null));
    const failed = matching('evt.type = openat and evt.res = ENOENT and fd.num = -1');
    assert.ok(failed.length > 0);
    assert.ok(failed.every((event) => event.type === 'open' && event.error === 'ENOENT'));
    const all = matching('evt.type = openat');
    const rest = matching('evt.type = openat and not evt.failed = true');
    assert.equal(all.length, matching('evt.type = openat and evt.failed = true').length + rest.length);
  });

  test('ancestors, containers and users of real processes', () => {
    const shells = matching('evt.type = execve and proc.name = sh and proc.aname = node');
    assert.ok(shells.length > 0);
    assert.deepEqual(
      matching('evt.type = execve and proc.name = sh and http.method exists and not proc.aname = node'),
      [],
    );
    const script = matching(
      'evt.type = execve and proc.exepath pmatch (/usr/bin) and container.id = host',
      'apache-cgi',
    );
    assert.ok(script.length > 0);
  });

  test('requests and their replies', () => {
    const requests = matching('evt.type = http_request and http.path = /ping');
    const replies = matching('evt.type = http_response and http.path = /ping and http.status = 200');
    assert.ok(requests.length > 0);
    assert.equal(replies.length, requests.length);
    assert.ok(matching('evt.type = accept4 and fd.is_server = true').length > 0);
    assert.ok(matching('evt.type = connect and fd.typechar = u and evt.failed = true').length > 0);
  });

  test('a condition that is wrong ends before anything is read', () => {
    const { code, stdout, stderr } = throughline(['rules', 'try', 'proc.nmae = x', recordingPath('demo')]);
    assert.deepEqual([code, stdout], [64, '']);
    assert.match(stderr, /CONDITION is wrong at 1:1: unknown field 'proc\.nmae'; did you mean proc\.name\?/);
  });

  const alerts = (...args: readonly string[]) => {
    const run = throughline(['replay', recordingPath('demo'), '--default-rules', '--json', ...args]);
    const rules = run.messages.flatMap(({ kind, rule }) => (kind === 'alert' ? [String(rule)] : []));
    return { ...run, rules };
  };

  test('rules are switched on and off by name, wildcard and tag, in the order of the command line', () => {
    const all = alerts('--rule-matching', 'all');
    assert.equal(all.code, 0, all.stderr);
    assert.ok(all.rules.includes('Shell run by a request'));
    assert.deepEqual(alerts('-D', '*').rules, []);
    assert.deepEqual(
      alerts('-D', '*', '--enable-rule', 'Shell run by*').rules,
      all.rules.filter((name) => name === 'Shell run by a request'),
    );
    assert.deepEqual(
      new Set(alerts('--rule-matching', 'all', '-D', 'Shell run by a request').rules),
      new Set(all.rules.filter((name) => name !== 'Shell run by a request')),
    );
    const unknown = alerts('-D', 'Shell run by a reqest');
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(
      unknown.stderr,
      /nothing was started\nthere is no rule '.*'; did you mean 'Shell run by a request'\?/,
    );
  });

  test('the summary says of each rule what it did; alerts beyond the limit are counted', () => {
    const summary = ({ stderr }: { readonly stderr: string }) => {
      const line = stderr.split('\n').find((one) => one.startsWith('{"kind":"summary"')) ?? '{}';
      return JSON.parse(line) as RunSummary;
    };
    const all = alerts();
    const { alerts: counts } = summary(all);
    assert.equal(counts?.raised, all.rules.length);
    assert.equal(counts.heldBack, 0);
    const shell = counts.rules.find(({ rule }) => rule === 'Shell run by a request');
    assert.equal(shell?.matched, all.rules.filter((name) => name === 'Shell run by a request').length);
    assert.ok(shell.evaluated >= shell.matched && !shell.isBroken);
    const limited = alerts('--alert-limit', '1/h');
    assert.deepEqual(limited.rules, [...new Set(all.rules)]);
    assert.equal(summary(limited).alerts?.heldBack, all.rules.length - limited.rules.length);
    assert.match(
      limited.stderr,
      /rule 'Shell run by a request' raises more alerts than --alert-limit lets through/,
    );
  });

  test('rules with errors: told with their lines, and nothing is read', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'throughline-rules-')), 'a.yaml');
    writeFileSync(file, '- rule: r\n  desc: d\n  condition: proc.nmae = x\n  output: o\n  priority: INFO\n');
    const { code, stdout, stderr } = throughline(['replay', recordingPath('demo'), '--rules', file]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `throughline: the rules have errors; nothing was started\n${file}:3:14: unknown field 'proc.nmae'; did you mean proc.name?\n`,
    );
  });

  test('the rules that come with it pass their tests', () => {
    const folder = join(import.meta.dirname, '..', 'rules');
    const all = throughline(['rules', 'test', folder]);
    assert.equal(all.code, 0, all.stdout + all.stderr);
    assert.match(all.stdout, /^passed {4}Shell run by a request \(/m);
    const one = throughline(['rules', 'test', join(folder, 'web.yaml')]);
    assert.equal(one.code, 0);
    assert.doesNotMatch(one.stdout, /Coin miner/);
    assert.equal(throughline(['rules', 'test', join(folder, 'absent')]).code, 66);
  });
});
