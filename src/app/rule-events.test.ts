import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { QueryEffect } from '../model/effect.ts';
import {
  exactly,
  sampleContext,
  sampleFinding,
  sampleProcess,
  SampleProgram,
  sampleRequest,
} from '../output/sample-story.ts';
import { RULE_CALLS } from '../rules/calls.ts';
import type { RuleEvent } from '../rules/event.ts';
import { TOLD_ARGUMENTS } from '../rules/fields/event-arguments.ts';
import { FIELDS } from '../rules/fields/registry.ts';
import { loadRules } from '../rules/load/load-rules.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { RuleSource } from '../rules/text.ts';
import { RuleEvents } from './rule-events.ts';

const events = new RuleEvents({ clock: sampleContext.clock, hostname: 'web1', architecture: 'x64' });
const byText = (a: string, b: string) => a.localeCompare(b);
const request = sampleRequest();
const node = sampleProcess();
const program = new SampleProgram(sampleProcess({ pid: 7, parent: node, parentPid: 4211 }), exactly(request));

/** Whether the rule with this condition is true of an event. */
function isTrue(condition: string, event: RuleEvent | null): boolean {
  assert.ok(event);
  const text = `- rule: r\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: o\n  priority: INFO\n`;
  const { rules, files } = loadRules([new RuleSource('t', text)], { isStrict: true });
  const errors = files.flatMap((file) => file.errors).map(({ message }) => message);
  assert.deepEqual(errors, [], condition);
  let count = 0;
  const set = new RuleSet(rules, { matching: 'all', onBroken: (_, error) => assert.fail(String(error)) });
  set.evaluate(event, () => count++);
  return count > 0;
}

function check(event: RuleEvent | null, conditions: readonly string[]): void {
  for (const condition of conditions) assert.ok(isTrue(condition, event), condition);
}

test('a program that a request started', () => {
  const exec = program.exec(['sh', '-c', 'id'], '/usr/bin/dash');
  check(events.ofEffect(exec), [
    'evt.type = execve and evt.rawres = 0 and evt.res = SUCCESS',
    'proc.pname = node and proc.aname[1] = node and proc.aname = node',
    'evt.arg.trusted_exepath endswith dash and evt.arg.args = "-c id" and evt.arg.exe = sh',
    'http.method = GET and http.path = /ping and req.grade = exact',
    'not fd.name exists',
    'evt.hostname = web1',
  ]);
});

test('a file that is opened, and one that is not', () => {
  const opened = {
    ...program.open('/etc/passwd'),
    flags: 0o2000000,
    path: '../etc/passwd',
    isWrite: false,
    error: 0,
  };
  check(events.ofEffect(opened), [
    'evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.typechar = f and fd.num >= 0',
    'fd.name = /etc/passwd and fd.directory = /etc and fd.nameraw = ../etc/passwd and fd.type = file',
    'fs.path.name = /etc/passwd and evt.arg.flags contains O_CLOEXEC and not evt.is_open_write = true',
    'evt.rawres >= 0 and fd.num != 3',
  ]);
  check(events.ofEffect({ ...opened, error: 2 }), [
    'fd.num = -1 and evt.res = ENOENT and evt.rawres = -2 and fd.typechar = f and fd.name = /etc/passwd',
  ]);
  check(events.ofEffect({ ...opened, flags: 0o200000 }), ['fd.typechar = d and fd.directory = /etc/passwd']);
});

test('connections, to others and from them', () => {
  const connect = program.connect('192.0.2.7', 443);
  check(events.ofEffect(connect), [
    'evt.type = connect and fd.sip = 192.0.2.7 and fd.rport = 443 and fd.snet = 192.0.2.0/24',
    'fd.name = "->192.0.2.7:443" and fd.l4proto = tcp and fd.typechar = 4 and flow.direction = out',
    'evt.rawres >= 0 or evt.res = EINPROGRESS',
  ]);
  check(events.ofEffect({ ...connect, isInProgress: true }), ['evt.res = EINPROGRESS and evt.rawres = -115']);
  check(events.ofAccept(request.connection, node, 4211, 5), [
    'evt.type in (accept, accept4) and fd.is_server = true and fd.lport = 8080 and fd.cip = 203.0.113.9',
    'fd.name = "203.0.113.9:51944->10.0.0.5:8080" and flow.direction = in and not http.method exists',
  ]);
  const local = { address: '10.0.0.5', port: 51_000 };
  check(events.ofEffect({ ...connect, local, descriptor: 7 }), [
    'fd.num = 7 and fd.cip = 10.0.0.5 and fd.lip = 10.0.0.5 and fd.cport = 51000 and fd.lport = 51000',
    'fd.sip = 192.0.2.7 and fd.rip = 192.0.2.7 and fd.lnet = 10.0.0.0/8 and fd.ip = 10.0.0.5 and fd.port = 51000',
    'fd.name = "10.0.0.5:51000->192.0.2.7:443" and evt.rawres = 0 and flow.direction = out',
  ]);
  check(events.ofAccept(request.connection, node, 1, 5, 9), ['fd.num = 9 and evt.rawres = 9']);
  const unix = { ...connect, family: 'unix', remote: { address: '/run/x.sock', port: 0 } } as const;
  check(events.ofEffect(unix), ['fd.name = /run/x.sock and fd.typechar = u and not fd.ip exists']);
});

test('the end of a connection, with what went over it', () => {
  const { connection } = request;
  const end = {
    timeNs: 5,
    process: node,
    connection,
    isServer: true,
    isDatagram: false,
    bytesIn: 300,
    bytesOut: 7,
  };
  check(events.ofEnd(end), [
    'evt.type = connection_end and evt.category = net and flow.bytes_in = 300 and flow.bytes_out < 8',
    'fd.cip = 203.0.113.9 and fd.lport = 8080 and fd.l4proto = tcp and flow.direction = in and proc.name = node',
    'not http.method exists and not evt.res exists and fd.name = "203.0.113.9:51944->10.0.0.5:8080"',
  ]);
  const asked = {
    ...connection,
    client: { address: '', port: 0 },
    server: { address: '192.0.2.7', port: 53 },
  };
  check(events.ofEnd({ ...end, connection: asked, isServer: false, isDatagram: true }), [
    'flow.direction = out and fd.rip = 192.0.2.7 and not fd.lip exists and flow.protocol = udp',
  ]);
  check(events.ofAccept(connection, node, 1, 5), ['not flow.bytes_in exists and not flow.bytes_out exists']);
});

test('questions, and the request itself', () => {
  const query: QueryEffect = {
    type: 'query',
    timeNs: 1,
    pid: 7,
    tid: 7,
    process: node,
    attribution: exactly(request),
    query: {
      protocol: 'postgresql',
      operation: 'SELECT',
      statement: 'SELECT 1',
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
  check(events.ofEffect(query), [
    'evt.type = db_query and db.operation = SELECT and fd.sport = 5432 and http.path = /ping',
  ]);
  check(events.ofEffect({ ...query, query: { ...query.query, protocol: 'dns', statement: 'x.example' } }), [
    'evt.type = dns_query and dns.name = x.example and not db.statement exists',
  ]);
  const failed = { isError: true, code: '42601', message: '', rows: null, answers: [] };
  check(events.ofAnswer({ ...query, outcome: failed }, 9), [
    'evt.type = db_response and db.error = 42601 and db.statement = "SELECT 1" and req.id exists and not db.rows exists',
  ]);
  check(events.ofAnswer({ ...query, outcome: { ...failed, isError: false, code: '', rows: 3 } }, 9), [
    'evt.type = db_response and db.rows = 3 and not db.error exists',
  ]);
  const lookup = { ...query, query: { ...query.query, protocol: 'dns', statement: 'x.example' } };
  check(events.ofAnswer({ ...lookup, outcome: { ...failed, isError: false, answers: ['192.0.2.7'] } }, 9), [
    'evt.type = dns_response and dns.name = x.example and dns.answer intersects (192.0.2.7)',
  ]);
  assert.equal(events.ofEffect({ ...query, query: { ...query.query, protocol: 'smtp' } }), null);
  check(events.ofRequest(request, 'http_request', 9), [
    'evt.type = http_request and req.grade = exact and fd.lport = 8080',
  ]);
  check(events.ofRequest({ ...request, status: 500 }, 'http_response', 9), [
    'evt.type = http_response and http.status >= 500',
  ]);
});

test('one event does not keep what another had', () => {
  events.ofEffect(program.open('/etc/passwd'));
  const exec = events.ofEffect(program.exec(['id'], '/usr/bin/id'));
  check(exec, ['not fd.name exists and not fs.path.name exists and not evt.arg.name exists']);
  check(events.ofAccept(request.connection, node, 1, 5), ['not req.id exists and not evt.arg.exe exists']);
});

test('the arguments that rules may ask for are those that events have', () => {
  const names = new Set<string>();
  // There is one event: each is looked at before the next is made.
  for (const make of [
    () => events.ofEffect(program.exec(['id', '-u'], '/usr/bin/id')),
    () => events.ofEffect(program.exit(0)),
    () => events.ofEffect(program.open('/x')),
    () => events.ofEffect(program.connect('192.0.2.7', 443)),
    () => events.ofAccept(request.connection, node, 1, 5),
  ]) {
    const event = make();
    for (const name of event?.argumentNames ?? []) {
      if (name !== 'res') assert.notEqual(event?.argument(name), null, name);
      names.add(name);
    }
  }
  // Those of actions: rule-action.test.ts.
  for (const call of RULE_CALLS.values()) for (const name of call.names) names.add(name);
  assert.deepEqual([...names].toSorted(byText), [...TOLD_ARGUMENTS].toSorted(byText));
});

test('every field that has an answer gives one, or none, on every event', () => {
  const all = [program.exec(['id'], '/usr/bin/id'), program.open('/x'), program.connect('::1', 1)];
  for (const effect of all) {
    const event = events.ofEffect(effect);
    for (const { name, argument, reason, caveat, type } of FIELDS) {
      if (reason !== null || type === 'bytes') continue;
      const given = name === 'evt.rawarg' ? 'flags' : 'name';
      const isNeeded = argument.startsWith('required') || (caveat?.(null) ?? null) !== null;
      const field = isNeeded ? `${name}[${given}]` : name;
      assert.equal(typeof isTrue(`${field} exists`, event), 'boolean', field);
    }
  }
});

test('what a detector has said of a request is known of all that follows, the worst of it', () => {
  const known = new RuleEvents({ clock: { wallMs: () => 0 }, hostname: null, architecture: 'x64' });
  const detection = { ...sampleFinding(), request };
  const verdict = () => known.ofEffect(program.open('/x'))?.verdict;
  assert.equal(verdict(), null);
  known.detected({ ...detection, verdict: 'PROBED' });
  assert.equal(verdict(), 'PROBED');
  known.detected({ ...detection, verdict: 'EXPLOITED' });
  known.detected({ ...detection, verdict: 'SUSPICIOUS' });
  known.detected({ ...detection, request: null, verdict: 'BLOCKED' });
  assert.equal(verdict(), 'EXPLOITED');
});
