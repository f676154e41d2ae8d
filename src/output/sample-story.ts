import type { Clock } from '../base/clock.ts';
import type {
  Attribution,
  ConnectEffect,
  Effect,
  ExecEffect,
  ExitEffect,
  OpenEffect,
} from '../model/effect.ts';
import type { Container } from '../model/container.ts';
import type { Finding } from '../model/finding.ts';
import type { Process } from '../model/process.ts';
import type { Request } from '../model/request.ts';
import type { ViewContext } from './effect-view.ts';

/** A made-up command injection for the tests of output and command line: nothing here is captured. */

const clock: Clock = { wallMs: (timeNs) => Date.UTC(2025, 0, 2, 12, 4, 31, 0) + timeNs / 1e6 };
export const sampleContext: ViewContext = { clock, architecture: 'x64', world: { cgroupOf: () => null } };

export const sampleContainer: Container = {
  id: 'c0ffee11',
  runtime: 'docker',
  name: 'web',
  image: 'shop:2',
  pod: '',
  namespace: '',
  podUid: '',
  labels: {},
};

export function sampleProcess(fields: Partial<Process> = {}): Process {
  return {
    pid: 4211,
    startTicks: 1000,
    parentPid: 1,
    parent: null,
    comm: 'node',
    executable: '/usr/bin/node',
    inode: 7,
    argv: ['node', 'server.js'],
    argvTruncated: false,
    workingDirectory: '/srv/app',
    uid: 33,
    gid: 33,
    groups: [33],
    userName: 'www-data',
    stdio: ['device', 'pipe', 'pipe'],
    cgroupId: 99,
    containerId: null,
    container: null,
    podUid: null,
    serviceUnit: 'shop.service',
    exitedNs: null,
    exitCode: null,
    ...fields,
  };
}

export function sampleRequest(fields: Partial<Request> = {}, target = '/ping?host=127.0.0.1;id'): Request {
  return {
    id: 'r-7f3a-12',
    connection: {
      id: 12,
      family: 'ipv4',
      client: { address: '203.0.113.9', port: 51944 },
      server: { address: '10.0.0.5', port: 8080 },
    },
    message: {
      protocol: 'http1',
      head: '',
      method: 'GET',
      target,
      headers: [
        ['authorization', 'Bearer top-secret'],
        ['cookie', 'session=top-secret'],
      ],
      body: new Uint8Array(0),
      isTruncated: false,
      anomalies: [],
      inputs: [],
    },
    process: sampleProcess({
      parent: sampleProcess({ pid: 1, comm: 'systemd', executable: '/usr/lib/systemd/systemd' }),
    }),
    tid: 4211,
    startedNs: 207e6,
    endedNs: 249.5e6,
    status: 200,
    effects: [],
    droppedEffects: 0,
    ...fields,
  };
}

export function exactly(request: Request): Attribution {
  return {
    grade: 'exact',
    reason: 'the thread was serving this request and no other',
    request,
    candidates: [request],
  };
}

/** Effects of one made-up process, in the order of the calls, a millisecond apart. */
export class SampleProgram {
  static #nowNs = 210e6;
  readonly process: Process;
  readonly #attribution: Attribution;

  constructor(process: Process, attribution: Attribution) {
    this.process = process;
    this.#attribution = attribution;
  }

  exec(argv: readonly string[], executable: string, fields: Partial<ExecEffect> = {}): ExecEffect {
    const { uid, workingDirectory } = this.process;
    const stdio = ['closed', 'pipe', 'pipe'] as const;
    const path = `/bin/${argv[0] ?? ''}`;
    return {
      ...this.#base(),
      type: 'exec',
      path,
      executable,
      argv,
      argvTruncated: false,
      workingDirectory,
      uid,
      stdio,
      ...fields,
    };
  }

  open(path: string, fields: Partial<OpenEffect> = {}): OpenEffect {
    const flags = 0o2000000;
    return {
      ...this.#base(),
      type: 'open',
      path,
      resolvedPath: path,
      flags,
      isWrite: false,
      error: 0,
      ...fields,
    };
  }

  connect(address: string, port: number, fields: Partial<ConnectEffect> = {}): ConnectEffect {
    return {
      ...this.#base(),
      type: 'connect',
      family: 'ipv4',
      transport: 'stream',
      remote: { address, port },
      error: 0,
      isInProgress: false,
      ...fields,
    };
  }

  exit(code: number): ExitEffect {
    return { ...this.#base(), type: 'exit', code };
  }

  #base() {
    const { process } = this;
    SampleProgram.#nowNs += 1e6;
    const timeNs = SampleProgram.#nowNs;
    return { timeNs, pid: process.pid, tid: process.pid, process, attribution: this.#attribution };
  }
}

/** ping with an injected command: sh, what it ran, what they opened, where they connected. */
export function sampleStory(request: Request = sampleRequest()): readonly Effect[] {
  const attribution = exactly(request);
  const child = (pid: number, parent: Process, comm: string) =>
    new SampleProgram(sampleProcess({ pid, parentPid: parent.pid, parent, comm }), attribution);
  const shell = child(5120, request.process, 'sh');
  const ping = child(5121, shell.process, 'ping');
  const id = child(5122, shell.process, 'id');
  const libraries = (program: SampleProgram) => [
    program.open('/etc/ld.so.cache'),
    program.open('/usr/lib/x86_64-linux-gnu/libc.so.6'),
  ];
  return [
    shell.exec(['/bin/sh', '-c', 'ping -c 1 127.0.0.1;id'], '/usr/bin/dash', { path: '/bin/sh' }),
    ...libraries(shell),
    ping.exec(['ping', '-c', '1', '127.0.0.1'], '/usr/bin/ping'),
    ...libraries(ping),
    ping.connect('127.0.0.1', 1025, { transport: 'datagram' }),
    ping.exit(0),
    id.exec(['id'], '/usr/bin/id'),
    ...libraries(id),
    id.open('/etc/nsswitch.conf'),
    id.open('/etc/passwd'),
    id.open('/etc/group'),
    id.open('/etc/group'),
    id.open('/etc/shadow', { error: 13 }),
    id.exit(0),
    shell.exit(0),
  ];
}

export function sampleFinding(fields: Partial<Finding> = {}): Finding {
  const request = fields.request ?? sampleRequest();
  const story = sampleStory(request);
  return {
    id: 'f-7f3a-3',
    timeMs: Date.UTC(2025, 0, 2, 12, 4, 31, 260),
    detector: 'command-injection',
    verdict: 'EXPLOITED',
    class: 'command-injection',
    severity: 'critical',
    title: 'Command injection: the parameter host ran id',
    cwe: [78],
    attack: ['T1059.004'],
    request,
    effect: story[0] ?? null,
    evidence: [
      {
        source: 'query parameter host',
        value: '127.0.0.1;id',
        sink: 'argv[2]',
        sinkValue: 'ping -c 1 127.0.0.1;id',
        offset: 10,
        note: 'runs `id` after a command separator',
      },
    ],
    story,
    actions: [],
    ...fields,
  };
}
