/** Made-up requests and effects for the tests of detectors. */

import { bytesOf, byteStringFromText, type ByteString } from '../base/bytes.ts';
import { percentDecode } from '../base/percent.ts';
import type { Attribution, ExecEffect, OpenEffect } from '../model/effect.ts';
import type { Process } from '../model/process.ts';
import type { Connection, Request, RequestInput } from '../model/request.ts';

export function makeProcess(changes: Partial<Process> = {}): Process {
  return {
    pid: 100,
    startTicks: 1000,
    parentPid: 1,
    parent: null,
    comm: 'node',
    executable: '/usr/bin/node',
    inode: 7,
    argv: ['node', 'server.js'],
    argvTruncated: false,
    workingDirectory: '/srv/app',
    uid: 1000,
    gid: 1000,
    groups: [],
    userName: 'app',
    stdio: ['device', 'pipe', 'pipe'],
    cgroupId: 1,
    containerId: null,
    container: null,
    podUid: null,
    serviceUnit: 'app.service',
    exitedNs: null,
    exitCode: null,
    ...changes,
  };
}

const SERVER = makeProcess();

const CONNECTION: Connection = {
  id: 1,
  family: 'ipv4',
  client: { address: '203.0.113.9', port: 40_000 },
  server: { address: '192.0.2.1', port: 80 },
};

/** An input with the forms that a protocol leaf gives: the value, decoded, decoded twice, plus as space. */
export function makeInput(
  value: ByteString,
  location: RequestInput['location'] = 'query',
  name: ByteString = 'q',
): RequestInput {
  const once = percentDecode(value);
  const forms = new Set([value, percentDecode(value.replaceAll('+', ' ')), once, percentDecode(once)]);
  return { location, name, value, forms: [...forms] };
}

export interface RequestParts {
  readonly target?: ByteString;
  readonly headers?: readonly (readonly [ByteString, ByteString])[];
  readonly body?: ByteString;
  readonly process?: Process;
  readonly inputs?: readonly RequestInput[];
}

let requests = 0;

/** A request with the inputs that are given, and those of its target's path and query. */
export function makeRequest(parts: RequestParts = {}): Request {
  const target = parts.target ?? '/';
  const inputs = [...(parts.inputs ?? []), ...targetInputs(target)];
  const process = parts.process ?? SERVER;
  return {
    id: `r${++requests}`,
    connection: CONNECTION,
    message: {
      protocol: 'http',
      head: headOf(target, parts.headers ?? []),
      method: 'GET',
      target,
      headers: parts.headers ?? [],
      body: bytesOf(parts.body ?? ''),
      isTruncated: false,
      anomalies: [],
      inputs,
    },
    process,
    tid: process.pid,
    startedNs: 0,
    endedNs: null,
    status: null,
    effects: [],
    droppedEffects: 0,
  };
}

function headOf(target: ByteString, headers: readonly (readonly [ByteString, ByteString])[]): ByteString {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A request of one query parameter, encoded as browsers do. */
export function requestWith(value: ByteString, name: ByteString = 'q'): Request {
  return makeRequest({ target: `/run?${name}=${percentEncode(value)}` });
}

export function percentEncode(value: ByteString): ByteString {
  return value.replace(/[^\w.~-]/g, (character) => {
    const code = character.charCodeAt(0) & 0xff;
    return `%${code.toString(16).padStart(2, '0').toUpperCase()}`;
  });
}

function targetInputs(target: ByteString): RequestInput[] {
  const [path = '', query = ''] = target.split('?', 2);
  const segments = path.split('/').filter((segment) => segment !== '');
  const pairs = query === '' ? [] : query.split('&');
  // As the HTTP leaf does: a path that is encoded or climbs also as a whole, and from its first such segment on.
  const odd = segments.findIndex((segment) => segment === '..' || segment.includes('%'));
  const wholes = odd === -1 ? [] : [path, segments.slice(odd).join('/')];
  return [
    ...[...segments, ...wholes].map((segment) => makeInput(segment, 'path', '')),
    ...pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return equals === -1
        ? makeInput(pair, 'query', '')
        : makeInput(pair.slice(equals + 1), 'query', byteStringFromText(pair.slice(0, equals)));
    }),
  ];
}

/** The attribution of an effect to one request, or an ambiguous one to several. */
export function attributedTo(...possible: readonly Request[]): Attribution {
  const only = possible.length === 1 ? possible[0] : undefined;
  return only === undefined
    ? { grade: 'ambiguous', reason: 'several in flight', request: null, candidates: possible }
    : { grade: 'exact', reason: 'same thread', request: only, candidates: possible };
}

let pids = 1000;

/** A program that a child of the server starts. */
export function makeExec(
  argv: readonly ByteString[],
  possible: readonly Request[],
  changes: Partial<ExecEffect> = {},
): ExecEffect {
  const path = changes.path ?? `/usr/bin/${argv[0] ?? ''}`;
  const executable = changes.executable ?? path.replace(/\/sh$/, '/dash');
  const pid = changes.pid ?? ++pids;
  const process = makeProcess({ pid, parentPid: SERVER.pid, parent: SERVER, executable, argv });
  return {
    type: 'exec',
    timeNs: 1,
    tid: pid,
    process,
    attribution: attributedTo(...possible),
    argv,
    argvTruncated: false,
    workingDirectory: '/srv/app',
    uid: 1000,
    stdio: ['device', 'pipe', 'pipe'],
    ...changes,
    pid,
    path,
    executable,
  };
}

/** A shell with a command string. */
export function makeShell(
  command: ByteString,
  possible: readonly Request[],
  changes: Partial<ExecEffect> = {},
): ExecEffect {
  return makeExec(['sh', '-c', command], possible, changes);
}

/** A file that the server opens. */
export function makeOpen(
  path: ByteString,
  resolvedPath: ByteString,
  possible: readonly Request[],
  changes: Partial<OpenEffect> = {},
): OpenEffect {
  return {
    type: 'open',
    timeNs: 1,
    pid: SERVER.pid,
    tid: SERVER.pid,
    process: SERVER,
    attribution: attributedTo(...possible),
    path,
    resolvedPath,
    flags: 0,
    isWrite: false,
    error: 0,
    ...changes,
  };
}

/** Milliseconds that the fastest of several runs takes: what a busy machine adds is left out. */
export function fastestMs(run: () => void): number {
  let fastest = Infinity;
  for (let count = 0; count < 5 && fastest > 5; count++) {
    const start = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}
