import { printableText } from '../base/printable.ts';
import type { Process } from '../model/process.ts';
import type { Request, RequestMessage } from '../model/request.ts';
import type { RuleDescriptor, RuleEvent } from './event.ts';
import { eventTypeOf } from './event-types.ts';
import { loadRules, type LoadedRules } from './load/load-rules.ts';
import type { Rule } from './rule.ts';
import { RuleSet } from './rule-set.ts';
import { RuleSource } from './text.ts';

/** Made-up events and rules, for tests. */

export function makeProcess(changes: Partial<Process> = {}): Process {
  return {
    pid: 100,
    startTicks: 1000,
    parentPid: 1,
    parent: null,
    comm: 'cat',
    executable: '/usr/bin/cat',
    inode: 7,
    argv: ['cat', '/etc/passwd'],
    argvTruncated: false,
    workingDirectory: '/srv',
    uid: 33,
    gid: 33,
    groups: [],
    userName: 'www-data',
    stdio: ['pipe', 'pipe', 'file'],
    cgroupId: 1,
    containerId: null,
    container: null,
    podUid: null,
    serviceUnit: null,
    exitedNs: null,
    exitCode: null,
    ...changes,
  };
}

type EventChanges = Partial<Omit<RuleEvent, 'type' | 'argument' | 'rawArgument' | 'descriptor'>> & {
  /** Name of the type. */
  readonly type?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly descriptor?: Partial<RuleDescriptor> | null;
};

export function makeEvent({
  type = 'execve',
  args = {},
  descriptor = null,
  ...changes
}: EventChanges = {}): RuleEvent {
  const index = eventTypeOf(type);
  if (index === null) throw new Error(`no event type ${type}`);
  return {
    number: 1,
    timeNs: 20_000_000_000,
    previousNs: null,
    wallMs: 1_700_000_000_123.25,
    cpu: 2,
    tid: 100,
    hostname: 'web1',
    process: makeProcess(),
    result: 0,
    openFlags: null,
    path: null,
    pathRaw: null,
    sourcePath: null,
    sourcePathRaw: null,
    targetPath: null,
    targetPathRaw: null,
    request: null,
    attribution: null,
    verdict: null,
    query: null,
    outcome: null,
    argumentNames: Object.keys(args),
    argument: (name) => args[name] ?? null,
    rawArgument: (name) => (/^-?\d+$/.test(args[name] ?? '') ? Number(args[name]) : null),
    ...changes,
    type: index,
    descriptor: descriptor === null ? null : { ...DESCRIPTOR, ...descriptor },
  };
}

const DESCRIPTOR: RuleDescriptor = {
  number: 3,
  kind: 'file',
  name: null,
  nameRaw: null,
  transport: null,
  client: null,
  server: null,
  isServer: null,
  bytesIn: null,
  bytesOut: null,
};

/** A connection from 10.0.0.5:4000 to 192.0.2.1:443. */
export function makeConnection(changes: Partial<RuleDescriptor> = {}): RuleDescriptor {
  return {
    ...DESCRIPTOR,
    kind: 'ipv4',
    name: '10.0.0.5:4000->192.0.2.1:443',
    transport: 'tcp',
    client: { address: '10.0.0.5', port: 4000 },
    server: { address: '192.0.2.1', port: 443 },
    isServer: false,
    ...changes,
  };
}

export function makeRequest(
  changes: Partial<Omit<Request, 'message'>> = {},
  message: Partial<RequestMessage> = {},
): Request {
  return {
    id: 'r-1',
    connection: {
      id: 1,
      family: 'ipv4',
      client: { address: '203.0.113.9', port: 5000 },
      server: { address: '10.0.0.1', port: 80 },
    },
    process: makeProcess(),
    tid: 100,
    startedNs: 1,
    endedNs: null,
    status: null,
    effects: [],
    droppedEffects: 0,
    ...changes,
    message: {
      protocol: 'http1',
      head: '',
      method: 'GET',
      target: '/a%2fb?q=1;id',
      headers: [],
      body: new Uint8Array(),
      isTruncated: false,
      anomalies: [],
      inputs: [],
      ...message,
    },
  };
}

export function load(...texts: readonly string[]): LoadedRules {
  const sources = texts.map((text, index) => new RuleSource(index === 0 ? 'a.yaml' : `b${index}.yaml`, text));
  return loadRules(sources, { isStrict: false });
}

/** "a.yaml:3:5 syntax message" for each. */
export function problemsOf(loaded: LoadedRules, kind: 'errors' | 'warnings' = 'errors'): string[] {
  return loaded.files.flatMap((file) =>
    file[kind].map(
      ({ file: name, line, column, code, message }) =>
        `${name}:${line}:${column} ${code} ${printableText(message)}`,
    ),
  );
}

/** The text of a file with one rule that has this condition. */
export function ruleText(condition: string, more = ''): string {
  return `- rule: r\n  desc: d\n  condition: >\n    ${condition}\n  output: o\n  priority: NOTICE\n${more}`;
}

/** The rules of texts that must be right. */
export function rulesOf(...texts: readonly string[]): readonly Rule[] {
  const loaded = load(...texts);
  if (loaded.hasErrors) throw new Error(problemsOf(loaded).join('\n'));
  return loaded.rules;
}

/** Whether a condition is true of an event; lists and macros may stand in `before`. */
export function isTrue(condition: string, event: RuleEvent, before = ''): boolean {
  const set = new RuleSet(rulesOf(before + ruleText(condition)), {
    matching: 'all',
    onBroken: (_, error) => {
      throw error;
    },
  });
  let count = 0;
  set.evaluate(event, () => count++);
  return count > 0;
}
