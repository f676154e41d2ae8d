import { chooseExitHook } from './exit-hooks.ts';
import type { FeatureName, Features } from './features.ts';
import { ACTION_LIST } from '../model/actions.ts';
import { ThroughlineError } from '../base/errors.ts';
import type { SyscallName } from '../model/syscalls.ts';
import { libraryPrograms } from './uprobes/libraries.ts';

/** Ways to see files and connections: at the exit of system calls, or at the return of the kernel's own functions. */
export const PLANS = ['system-calls', 'trampolines'] as const;
export type Plan = (typeof PLANS)[number];

/** In the environment: the plan that has to be used, where otherwise it is the first that the kernel has. */
export const PLAN_VARIABLE = 'THROUGHLINE_PLAN';

/** One way to run a sensor: what it needs, the programs that attach by themselves, and those behind the dispatcher. */
export interface Alternative {
  readonly name: string;
  /** Where the sensor can run by both plans. */
  readonly plan?: Plan;
  readonly needs: readonly FeatureName[];
  /** Programs with a hook of their own. */
  readonly programs: readonly string[];
  /** Programs that the dispatcher on sys_exit jumps to, with the system calls that they want. */
  readonly syscallExits: Readonly<Record<string, readonly SyscallName[]>>;
  /** Programs that are attached to functions of libraries, where such a library is found. */
  readonly libraryProbes?: readonly string[];
  /** Variables of the kernel side that are 1 where this is chosen. */
  readonly switches?: readonly string[];
  /** What is weaker than in the best alternative, for people. '' for nothing. */
  readonly weaker: string;
}

export interface Sensor {
  readonly name: string;
  /** What it sees, for people. */
  readonly sees: string;
  /** It runs only where all events are asked for, as `throughline events` does. */
  readonly isOnDemand?: true;
  /** The one that is to be used first. */
  readonly alternatives: readonly Alternative[];
}

const SYSCALL_PLAN = { name: 'system calls', needs: ['btf', 'ring-buffer', 'raw-tracepoints'] } as const;

const LOST_WHERE_PREEMPTED = 'much is lost on a kernel that interrupts itself (preempt=full)';

/**
 * Programs of bpf/sensors/trampoline.bpf.c, beside what the dispatcher needs: some calls are seen at their exit in any case. See
 * more, and are only used where they are asked for: docs/KERNELS.md says why.
 */
const TRAMPOLINE_PLAN = {
  name: 'trampolines',
  plan: 'trampolines',
  needs: [...SYSCALL_PLAN.needs, 'trampolines'],
} as const;

const FILE_TRAMPOLINES = {
  ...TRAMPOLINE_PLAN,
  syscallExits: {},
  switches: ['opens_by_function'],
  weaker: `opens that fail before their path is looked up are not seen; O_CLOEXEC is told of 64-bit system calls alone, O_NONBLOCK not of io_uring, and numbers of descriptors not at all; ${LOST_WHERE_PREEMPTED}`,
};

const RECEIVING_CALLS: readonly SyscallName[] = ['read', 'recvfrom', 'readv', 'recvmsg'];
const SENDING_CALLS: readonly SyscallName[] = ['write', 'sendto', 'writev', 'sendmsg', 'sendfile'];
const NOT_TRANSFERRED = 'transfers through io_uring and splice are not seen';

/** The sensors of bpf/sensors/, as data. */
export const SENSORS: readonly Sensor[] = [
  {
    name: 'process',
    sees: 'programs started, processes made and ended',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        name: 'scheduler tracepoints, and the end of execve',
        needs: [...SYSCALL_PLAN.needs, 'exit-event'],
        programs: ['process_exec', 'process_fork', 'process_exit'],
        syscallExits: { exit_execve: ['execve', 'execveat'] },
        weaker: 'of a program that only the end of execve tells, its interpreter is not told',
      },
      {
        ...SYSCALL_PLAN,
        name: 'scheduler tracepoints',
        programs: ['process_exec', 'process_fork', 'process_exit'],
        syscallExits: {},
        weaker: '',
      },
    ],
  },
  {
    name: 'cgroup',
    sees: 'cgroups made, which tell the ids of containers',
    alternatives: [
      { ...SYSCALL_PLAN, name: 'tracepoint', programs: ['cgroup_made'], syscallExits: {}, weaker: '' },
    ],
  },
  {
    name: 'network',
    sees: 'connections accepted, made and closed',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        plan: 'system-calls',
        programs: ['socket_state', 'socket_destroyed'],
        syscallExits: {
          exit_accept: ['accept', 'accept4'],
          exit_connect: ['connect'],
          exit_getsockopt: ['getsockopt'],
          exit_socketpair: ['socketpair'],
        },
        weaker:
          'connections made through io_uring are told as tried, not followed, and those accepted by it or 32-bit calls not at all; the address of a connection that failed is read from the memory of the caller',
      },
      {
        ...TRAMPOLINE_PLAN,
        needs: [...TRAMPOLINE_PLAN.needs, 'socket-functions'],
        programs: ['socket_state', 'socket_destroyed', 'socket_connected', 'socket_accepted'],
        syscallExits: {
          exit_accept: ['accept', 'accept4'],
          exit_getsockopt: ['getsockopt'],
          exit_socketpair: ['socketpair'],
        },
        switches: ['connects_by_function'],
        weaker: `of a connection through io_uring that takes time, the result may not be told; numbers of descriptors are told of 64-bit system calls alone; ${LOST_WHERE_PREEMPTED}`,
      },
    ],
  },
  {
    name: 'payload',
    sees: 'first bytes of each message on connections that serving processes accepted or made, and DNS over UDP',
    alternatives: [
      {
        name: 'system calls, one program for both directions',
        needs: [...SYSCALL_PLAN.needs, 'patient-verifier'],
        programs: [],
        syscallExits: { exit_transfer: [...RECEIVING_CALLS, ...SENDING_CALLS] },
        weaker: NOT_TRANSFERRED,
      },
      {
        ...SYSCALL_PLAN,
        programs: [],
        syscallExits: { exit_receive: RECEIVING_CALLS, exit_send: SENDING_CALLS },
        weaker: NOT_TRANSFERRED,
      },
    ],
  },
  {
    name: 'datagram',
    sees: 'questions of DNS over UDP that serving processes ask, several in one call',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        programs: [],
        syscallExits: {
          exit_sendmmsg: ['sendmmsg'],
          exit_recvmmsg: ['recvmmsg'],
        },
        weaker: '',
      },
    ],
  },
  {
    name: 'tls',
    sees: 'plaintext of TLS connections, in OpenSSL, BoringSSL, GnuTLS and Go',
    alternatives: [
      {
        name: 'functions of libraries',
        needs: [...SYSCALL_PLAN.needs, 'uprobes'],
        programs: [],
        syscallExits: {},
        libraryProbes: libraryPrograms('tls'),
        weaker: 'Java and Rust bring TLS of their own, which is not read',
      },
    ],
  },
  {
    name: 'runtime',
    sees: 'work that an event loop hands to its pool, in Node.js',
    alternatives: [
      {
        name: 'functions of libraries',
        needs: [...SYSCALL_PLAN.needs, 'uprobes'],
        programs: [],
        syscallExits: {},
        libraryProbes: libraryPrograms('runtime'),
        weaker: 'builds of Node.js without a symbol table are not followed through their pool',
      },
    ],
  },
  {
    name: 'wait',
    sees: 'threads that come back from waiting for work',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        programs: [],
        syscallExits: {
          exit_epoll_wait: ['epoll_wait', 'epoll_pwait', 'epoll_pwait2'],
          exit_poll: ['poll', 'ppoll', 'select', 'pselect6'],
        },
        weaker: '',
      },
    ],
  },
  {
    name: 'file',
    sees: 'files opened by processes that serve requests, and for writing by anybody',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        plan: 'system-calls',
        programs: [],
        syscallExits: {
          exit_open: ['open'],
          exit_creat: ['creat'],
          exit_openat: ['openat'],
          exit_openat2: ['openat2'],
        },
        weaker:
          'open_by_handle_at is told as an action, without the path of the file; of an open that failed the path is read from the memory of the caller',
      },
      {
        ...FILE_TRAMPOLINES,
        needs: [...TRAMPOLINE_PLAN.needs, 'open-function'],
        programs: ['file_opened', 'file_opened_from_root'],
      },
      {
        ...FILE_TRAMPOLINES,
        name: 'trampolines on do_filp_open',
        needs: [...TRAMPOLINE_PLAN.needs, 'open-function-filp'],
        programs: ['file_opened_before', 'file_opened_from_root'],
      },
    ],
  },
  {
    name: 'action',
    sees: 'what processes do to files, privileges, namespaces, each other and the kernel',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        programs: [],
        syscallExits: {
          exit_action: ACTION_LIST.flatMap(({ calls }) => Object.keys(calls) as SyscallName[]),
        },
        weaker: 'paths of what is removed are those that were passed',
      },
    ],
  },
  {
    name: 'compat',
    sees: 'opens, connections and actions of 32-bit programs on x86-64',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        programs: [],
        syscallExits: { exit_compat: [] },
        weaker:
          'bytes that they transfer are not seen, nor calls through socketcall; nothing of 32-bit programs on arm64',
      },
    ],
  },
  {
    name: 'io-uring',
    sees: 'what is done through io_uring: opens, connections, datagrams, actions',
    alternatives: [
      {
        ...SYSCALL_PLAN,
        name: 'tracepoints of requests',
        needs: [...SYSCALL_PLAN.needs, 'io-uring'],
        programs: ['ring_submit', 'ring_complete'],
        syscallExits: {},
        weaker: 'bytes that are received and sent, bind and extended attributes are not seen',
      },
      {
        ...SYSCALL_PLAN,
        name: 'tracepoints of requests before Linux 6.3',
        needs: [...SYSCALL_PLAN.needs, 'io-uring-sqe'],
        programs: ['ring_submit_before', 'ring_complete'],
        syscallExits: {},
        weaker:
          'bytes that are received and sent, bind and extended attributes are not seen; addresses are read from user memory',
      },
    ],
  },
  {
    name: 'tcp',
    sees: 'ends of TCP connections, with what the kernel has counted',
    isOnDemand: true,
    alternatives: [
      {
        ...SYSCALL_PLAN,
        name: 'tracepoint',
        programs: ['tcp_state'],
        syscallExits: {},
        weaker: '',
      },
    ],
  },
];

/** The program that every entry of syscallExits hangs on. */
export const DISPATCHER = 'dispatch_sys_exit';

/** Every program that an alternative uses. */
export function programsOf(alternative: Alternative): string[] {
  const { programs, syscallExits, libraryProbes = [] } = alternative;
  return [...programs, ...Object.keys(syscallExits), ...libraryProbes];
}

export interface PlannedSensor {
  readonly sensor: Sensor;
  /** null: this kernel can run none of its alternatives. */
  readonly chosen: Alternative | null;
  readonly reason: string;
}

/**
 * What the environment asks for.
 * @param text of PLAN_VARIABLE; '' or undefined: nothing
 * @throws ThroughlineError TL3002 for a plan that there is not
 */
export function planAskedFor(text: string | undefined): Plan | null {
  if (text === undefined || text === '') return null;
  const plan = PLANS.find((one) => one === text);
  if (plan === undefined)
    throw new ThroughlineError('TL3002', `${PLAN_VARIABLE} is ${text}, which is none of ${PLANS.join(', ')}`);
  return plan;
}

/**
 * Chooses for each sensor the first alternative whose needs are all met. Pure.
 * @param asked a sensor that can run by both plans runs by this one or not at all
 */
export function planSensors(
  features: Features,
  asked: Plan | null = null,
  sensors: readonly Sensor[] = SENSORS,
): PlannedSensor[] {
  return sensors.map((sensor) => {
    const rejected: string[] = [];
    for (const alternative of sensor.alternatives) {
      if (asked !== null && (alternative.plan ?? asked) !== asked) {
        rejected.push(`${PLAN_VARIABLE} is ${asked}, so not ${alternative.name}`);
        continue;
      }
      const missing = alternative.needs.filter((need) => features[need].answer !== 'supported');
      if (missing.length === 0) {
        const reason =
          rejected.length === 0 ? `needs ${alternative.needs.join(', ')}: all there` : rejected.join('; ');
        return {
          sensor,
          chosen: alternative,
          reason:
            reason + exitHookOf(alternative, features) + (asked === null ? choiceOf(sensor, features) : ''),
        };
      }
      rejected.push(
        `${alternative.name} needs ${missing.map((need) => `${need} (${features[need].detail})`).join(', ')}`,
      );
    }
    return { sensor, chosen: null, reason: rejected.join('; ') };
  });
}

/** Said where system calls are not seen in the way that costs least. */
function exitHookOf({ syscallExits }: Alternative, features: Features): string {
  if (Object.keys(syscallExits).length === 0 || features['steady-exits'].answer === 'supported') return '';
  return `; ends of system calls ${chooseExitHook(features).reason}`;
}

/** What else could be asked for. */
function choiceOf({ alternatives }: Sensor, features: Features): string {
  const possible = alternatives.filter(({ needs }) =>
    needs.every((need) => features[need].answer === 'supported'),
  );
  const [first, ...others] = new Set(possible.flatMap(({ plan }) => plan ?? []));
  return first === undefined
    ? ''
    : others.map((plan) => `; ${PLAN_VARIABLE}=${plan} would be possible`).join('');
}

/** Why the plan that was asked for cannot be had here; null where it can. */
export function whyNot(asked: Plan | null, plan: readonly PlannedSensor[]): string | null {
  const lacking = plan.find(
    ({ sensor, chosen }) => chosen === null && sensor.alternatives.some((one) => one.plan === asked),
  );
  return asked === null || lacking === undefined
    ? null
    : `${PLAN_VARIABLE} is ${asked}, but of ${lacking.sensor.name}, ${lacking.reason}`;
}
