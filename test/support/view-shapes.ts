import assert from 'node:assert/strict';
import { assertShape, is, listOf, oneOf, type Shape } from './shape.ts';

/** The public JSON schema as tests know it, field by field, apart from the code that writes it. */

const GRADE = oneOf('exact', 'linked', 'matched', 'ambiguous', 'none');
const STDIO = oneOf('closed', 'file', 'directory', 'terminal', 'device', 'pipe', 'socket', 'other');

const EFFECT: Shape = {
  grade: GRADE,
  reason: 'string',
  pid: 'number',
  tid: 'number',
  ppid: 'number',
  comm: 'string',
  time: 'time',
};

const EFFECTS: Readonly<Record<string, Shape>> = {
  exec: {
    ...EFFECT,
    path: 'string',
    executable: 'string',
    argv: 'strings',
    cwd: 'string',
    uid: 'number',
    user: 'string?',
    stdio: (value) => Array.isArray(value) && value.length === 3 && value.every(STDIO),
    argvTruncated: 'boolean',
    traits: 'strings',
  },
  exit: { ...EFFECT, code: 'number' },
  action: {
    ...EFFECT,
    action: 'string',
    syscall: 'string',
    arguments: isArguments,
    result: 'number?',
    error: 'string?',
  },
  open: {
    ...EFFECT,
    path: 'string',
    resolvedPath: 'string',
    write: 'boolean',
    flags: 'strings',
    error: 'string?',
  },
  connect: {
    ...EFFECT,
    family: oneOf('ipv4', 'ipv6', 'unix'),
    transport: oneOf('stream', 'datagram', 'other'),
    address: 'string',
    port: 'number',
    error: 'string?',
    inProgress: 'boolean',
  },
  query: {
    ...EFFECT,
    protocol: 'string',
    operation: 'string',
    statement: 'string',
    parameters: 'strings',
    database: 'string',
    user: 'string',
    remote: { ip: 'string', port: 'number' },
    outcome: (value) => value === null || isOutcome(value),
    durationMs: 'number?',
    truncated: 'boolean',
    anomalies: 'strings',
    servedAs: 'string?',
  },
};

function isForwardedFor(value: unknown): boolean {
  const client: Shape = { ip: 'string', port: 'number' };
  assertShape(
    value,
    {
      known: oneOf('socket', 'header'),
      trusted: 'boolean',
      client: (one) => one === null || (assertShape(one, client, 'forwardedFor.client'), true),
      request: 'string?',
      grade: GRADE,
      reason: 'string',
      through: listOf({ pid: 'number', comm: 'string', request: 'string?' }),
      candidates: 'strings',
      claimed: (one) =>
        one === null || (assertShape(one, { client, header: 'string' }, 'forwardedFor.claimed'), true),
    },
    'forwardedFor',
  );
  return true;
}

/** Numbers, texts, or names of bits, by name. */
function isArguments(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (one) =>
        typeof one === 'number' ||
        typeof one === 'string' ||
        (Array.isArray(one) && one.every((name) => typeof name === 'string')),
    )
  );
}

function isOutcome(value: unknown): boolean {
  assertShape(
    value,
    { isError: 'boolean', code: 'string', message: 'string', rows: 'number?', answers: 'strings' },
    'outcome',
  );
  return true;
}

export function assertEffect(value: unknown, where = 'effect'): void {
  assertShape(value, { type: oneOf(...Object.keys(EFFECTS)) }, where);
  assertShape(value, EFFECTS[(value as { type: string }).type] ?? {}, where);
}

function areEffects(value: unknown): boolean {
  assert.ok(Array.isArray(value), 'no list of effects');
  for (const [index, effect] of value.entries()) assertEffect(effect, `effects[${index}]`);
  return true;
}

const CONTAINER: Shape = {
  id: 'string',
  name: 'string?',
  image: 'string?',
  pod: 'string?',
  namespace: 'string?',
  podUid: 'string?',
  runtime: 'string?',
};

function isContainer(value: unknown): boolean {
  if (value !== null) assertShape(value, CONTAINER, 'container');
  return true;
}

function isLabelledContainer(value: unknown): boolean {
  const areTexts = (labels: unknown): boolean =>
    Object.values(labels as object).every((label) => typeof label === 'string');
  if (value !== null) assertShape(value, { ...CONTAINER, labels: areTexts }, 'container');
  return true;
}

const REQUEST_SUMMARY: Shape = {
  kind: is('request'),
  id: 'string',
  method: 'string',
  target: 'string',
  client: { ip: 'string', port: 'number' },
  forwardedFor: (value) => value === null || isForwardedFor(value),
  server: {
    pid: 'number',
    exe: 'string',
    comm: 'string',
    container: isContainer,
    unit: 'string?',
    address: 'string',
    port: 'number',
  },
  status: 'number?',
  startedAt: 'time',
  durationMs: 'number?',
  droppedEffects: 'number',
  anomalies: 'strings',
  truncated: 'boolean',
};

export function assertRequest(value: unknown): void {
  assertShape(value, { ...REQUEST_SUMMARY, effects: areEffects }, 'request');
}

const PROCESS: Shape = {
  pid: 'number',
  exe: 'string',
  comm: 'string',
  argv: 'strings',
  cwd: 'string',
  uid: 'number',
  user: 'string?',
  traits: 'strings',
  container: isLabelledContainer,
  unit: 'string?',
  ancestors: listOf({ pid: 'number', exe: 'string', comm: 'string', argv: 'strings' }),
};

export function assertOrphan(value: unknown): void {
  const shape: Shape = { kind: is('orphan'), effect: {}, process: PROCESS, candidates: 'strings' };
  assertShape(value, shape, 'orphan');
  assertEffect((value as { effect: unknown }).effect);
}

export function assertFinding(value: unknown): void {
  assertShape(
    value,
    {
      kind: is('finding'),
      id: 'string',
      time: 'time',
      verdict: oneOf('PROBED', 'SUSPICIOUS', 'EXPLOITED', 'BLOCKED'),
      class: 'string',
      severity: oneOf('info', 'low', 'medium', 'high', 'critical'),
      title: 'string',
      detector: 'string',
      cwe: (list) => Array.isArray(list) && list.every((one) => typeof one === 'number'),
      attack: 'strings',
      attribution: { grade: GRADE, reason: 'string', candidates: 'strings' },
      evidence: listOf({
        source: 'string',
        value: 'string',
        sink: 'string?',
        sinkValue: 'string?',
        offset: 'number',
        length: 'number',
        note: 'string',
      }),
      story: areEffects,
      actions: (list) => Array.isArray(list) && list.length === 0,
    },
    'finding',
  );
  const { request, effect, process } = value as Record<string, unknown>;
  if (request !== null) assertShape(request, REQUEST_SUMMARY, 'finding.request');
  if (effect !== null) assertEffect(effect, 'finding.effect');
  if (process !== null) assertShape(process, PROCESS, 'finding.process');
}
