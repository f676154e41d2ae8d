import { constants } from 'node:os';
import { byteStringFromText, bytesOf } from '../../base/bytes.ts';
import { ACTION_LIST, argumentsOf, type Argument } from '../../model/actions.ts';
import type { ConnectionEnd } from '../../model/connection-end.ts';
import type { Attribution, Effect } from '../../model/effect.ts';
import type { ActionArgument } from '../../model/event.ts';
import type { Process } from '../../model/process.ts';
import type { Connection, Endpoint, Request } from '../../model/request.ts';
import type { SyscallName } from '../../model/syscalls.ts';
import { Http1Request } from '../../protocols/http1/message.ts';
import { problemAt, RuleError } from '../../rules/problem.ts';
import type { RuleEvent } from '../../rules/event.ts';
import { RuleEvents } from '../rule-events.ts';
import { HAPPENINGS, type Description, type Happening } from './description.ts';
import { actorOf, wordsOf } from './made-processes.ts';

/** O_RDONLY, O_WRONLY | O_CREAT | O_TRUNC and O_WRONLY | O_CREAT | O_APPEND: asm-generic/fcntl.h. */
const OPEN_FLAGS = { read: 0, write: 0o1101, append: 0o2101 };

const NOBODY: Attribution = { grade: 'none', reason: 'serves no request', request: null, candidates: [] };

/**
 * Makes events out of descriptions: objects of the model, which go through the same adapter as live ones. An event is valid
 * until the next is made.
 */
export class MadeEvents {
  readonly #events = new RuleEvents({
    clock: { wallMs: (timeNs) => Date.UTC(2025, 0, 2, 12) + timeNs / 1e6 },
    hostname: 'test',
    architecture: 'x64',
  });

  /**
   * @param timeNs when it happens, in nanoseconds since boot
   * @returns null: what happens is no event of rules, today
   * @throws RuleError for a description that means nothing
   */
  make(description: Description, timeNs: number): RuleEvent | null {
    const { texts } = description;
    const named = HAPPENINGS.filter((key) => texts.has(key));
    if (named.length > 1) throw wrong(description, `'${named.join("' and '")}' in one event`);
    const [happening] = named;
    const process = actorOf(description, happening === 'run');
    const request = requestOf(
      description,
      happening === undefined || happening === 'accept' ? process : null,
      timeNs,
    );
    if (happening === undefined) {
      if (request === null) throw wrong(description, `nothing happens: one of ${HAPPENINGS.join(', ')}`);
      const type = texts.has('status') ? 'http_response' : 'http_request';
      return this.#events.ofRequest(request, type, timeNs);
    }
    if (happening === 'accept')
      return this.#events.ofAccept(
        connectionOf(texts.get('accept') ?? '', description),
        process,
        process.pid,
        timeNs,
      );
    if (happening === 'end') return this.#events.ofEnd(endOf(description, process, timeNs));
    const attribution: Attribution =
      request === null
        ? NOBODY
        : { grade: 'exact', reason: 'as the test says', request, candidates: [request] };
    const effect = effectOf(description, happening, process, attribution, timeNs);
    const isAnswered = effect.type === 'query' && effect.outcome !== null;
    return isAnswered ? this.#events.ofAnswer(effect, timeNs) : this.#events.ofEffect(effect);
  }
}

function effectOf(
  description: Description,
  happening: Exclude<Happening, 'accept' | 'end'>,
  process: Process,
  attribution: Attribution,
  timeNs: number,
): Effect {
  const { texts } = description;
  const what = texts.get(happening) ?? '';
  const base = { timeNs, pid: process.pid, tid: process.pid, process, attribution };
  switch (happening) {
    case 'run': {
      const { executable, argv, argvTruncated, workingDirectory, uid, stdio } = process;
      const path = texts.get('raw') ?? executable;
      return { ...base, type: 'exec', path, executable, argv, argvTruncated, workingDirectory, uid, stdio };
    }
    case 'read':
    case 'write':
    case 'append': {
      const resolvedPath = byteStringFromText(what);
      return {
        ...base,
        type: 'open',
        path: byteStringFromText(texts.get('raw') ?? what),
        resolvedPath,
        flags: OPEN_FLAGS[happening],
        isWrite: happening !== 'read',
        error: errorOf(description),
      };
    }
    case 'connect': {
      const remote = endpointOf(what, description);
      return {
        ...base,
        type: 'connect',
        family: familyOf(remote),
        transport: texts.get('transport') === 'udp' ? 'datagram' : 'stream',
        remote,
        error: errorOf(description),
        isInProgress: false,
      };
    }
    case 'query':
    case 'lookup':
      return { ...base, ...questionOf(description, happening, byteStringFromText(what)) };
    case 'call':
      return { ...base, ...actionOf(description, what as SyscallName) };
    case 'exit':
      return { ...base, type: 'exit', code: numberOf(what, description) };
  }
}

function questionOf(description: Description, happening: 'query' | 'lookup', statement: string) {
  const { texts } = description;
  const isLookup = happening === 'lookup';
  const error = texts.get('error') ?? null;
  return {
    type: 'query' as const,
    query: {
      protocol: isLookup ? 'dns' : (texts.get('protocol') ?? 'postgresql'),
      operation: isLookup ? (texts.get('type') ?? 'A') : (/^\S*/.exec(statement)?.[0] ?? '').toUpperCase(),
      statement,
      parameters: [],
      database: '',
      user: '',
      isTruncated: false,
      anomalies: [],
    },
    remote: isLookup ? { address: '192.0.2.53', port: 53 } : { address: '192.0.2.54', port: 5432 },
    outcome: error === null ? null : { isError: true, code: error, message: '', rows: null, answers: [] },
    endedNs: null,
  };
}

function actionOf(description: Description, syscall: SyscallName) {
  const action = ACTION_LIST.find(({ calls }) => syscall in calls)?.name;
  if (action === undefined) throw wrong(description, `no event tells the call '${syscall}'`);
  const given = new Map(description.tables.get('args'));
  const values = argumentsOf(action, syscall).map((argument): ActionArgument => {
    const text = given.get(argument.name ?? '') ?? null;
    given.delete(argument.name ?? '');
    return argumentOf(argument, text, description);
  });
  const [unknown] = given.keys();
  if (unknown !== undefined) throw wrong(description, `the call '${syscall}' has no argument '${unknown}'`);
  const result = errorOf(description);
  const returned = description.texts.get('result');
  return {
    type: 'action' as const,
    action,
    syscall,
    arguments: values,
    isAimedAtAgent: false,
    result: result !== 0 ? -result : returned === undefined ? 0 : numberOf(returned, description),
  };
}

/** The value that the kernel side would tell; texts that are numbers there may be names of the catalogue: "A|B". */
function argumentOf(argument: Argument, text: string | null, description: Description): ActionArgument {
  const isText = ['text', 'path', 'path-at', 'file', 'bytes'].includes(argument.kind);
  if (isText) return byteStringFromText(text ?? '');
  if (text === null) return 0;
  const names = Object.entries(argument.names?.byNumber ?? {});
  const parts = text.split('|').map((part) => {
    const found = names.find(([, name]) => name === part);
    return found === undefined ? numberOf(part, description) : Number(found[0]);
  });
  return parts.reduce((sum, part) => sum + part, 0);
}

const CONNECTION: Connection = {
  id: 1,
  family: 'ipv4',
  client: { address: '203.0.113.9', port: 40_000 },
  server: { address: '10.0.0.5', port: 80 },
};

/** The request that stands in a description, through the parser of HTTP; null where there is none. */
function requestOf(description: Description, server: Process | null, timeNs: number): Request | null {
  const { texts, tables } = description;
  const line = texts.get('request');
  if (line === undefined) return null;
  const headers = [...(tables.get('headers') ?? [])].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = byteStringFromText(`${line} HTTP/1.1\r\n${headers.join('')}\r\n`);
  const message = new Http1Request(head, false);
  const body = bytesOf(byteStringFromText(texts.get('body') ?? ''));
  message.appendBody(body, 0, body.length);
  const status = texts.get('status');
  const client = texts.get('client');
  const process = server ?? actorOf({ ...description, texts: new Map([['by', 'nginx']]) }, false);
  return {
    id: texts.get('request_id') ?? 'r-1',
    connection:
      client === undefined ? CONNECTION : { ...CONNECTION, client: { address: client, port: 40_000 } },
    message,
    process,
    tid: process.pid,
    startedNs: timeNs - 1e6,
    endedNs: null,
    status: status === undefined ? null : numberOf(status, description),
    effects: [],
    droppedEffects: 0,
  };
}

/** Of a connection that was accepted both ends, as of `accept`; of one that was made the server alone, as of `connect`. */
function endOf(description: Description, process: Process, timeNs: number): ConnectionEnd {
  const { texts } = description;
  const what = texts.get('end') ?? '';
  const isServer = what.includes('->');
  const server = isServer ? null : endpointOf(what, description);
  return {
    timeNs,
    process,
    connection:
      server === null
        ? connectionOf(what, description)
        : { id: 1, family: familyOf(server), client: { address: '', port: 0 }, server },
    isServer,
    isDatagram: texts.get('transport') === 'udp',
    bytesIn: numberOf(texts.get('bytes_in') ?? '0', description),
    bytesOut: numberOf(texts.get('bytes_out') ?? '0', description),
  };
}

/** "203.0.113.9:4000 -> 10.0.0.5:22" */
function connectionOf(text: string, description: Description): Connection {
  const [client = '', server = ''] = text.split(/\s*->\s*/);
  const end = endpointOf(server, description);
  return { id: 1, family: familyOf(end), client: endpointOf(client, description), server: end };
}

/** "10.0.0.5:22", "[::1]:22", or the path of a unix socket. */
function endpointOf(text: string, description: Description): Endpoint {
  if (text.startsWith('/')) return { address: text, port: 0 };
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined) throw wrong(description, `'${text}' is no address with its port`);
  return { address, port: Number(port) };
}

function familyOf({ address, port }: Endpoint): Connection['family'] {
  if (port === 0 && address.startsWith('/')) return 'unix';
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** The errno, positive; 0 for none. */
function errorOf(description: Description): number {
  const name = description.texts.get('error');
  if (name === undefined) return 0;
  const number = (constants.errno as Readonly<Record<string, number>>)[name];
  if (number === undefined) throw wrong(description, `there is no error '${name}'`);
  return number;
}

function numberOf(text: string, description: Description): number {
  const number = text === '' ? Number.NaN : Number(/^0[0-7]+$/.test(text) ? `0o${text.slice(1)}` : text);
  if (!Number.isSafeInteger(number)) throw wrong(description, `'${text}' is no number`);
  return number;
}

function wrong({ place }: Description, message: string): RuleError {
  return new RuleError(problemAt('item', message, place, ''));
}

/** An event in a few words, for people. */
export function describe({ texts }: Description): string {
  const key = HAPPENINGS.find((one) => texts.has(one)) ?? 'request';
  const by = texts.get('by');
  return `${by === undefined || key === 'run' ? '' : `${wordsOf(by)[0]}: `}${key} ${texts.get(key) ?? ''}`;
}
