import { byteStringFromText, type ByteString } from '../../base/bytes.ts';
import type { ExecDetails } from '../../model/exec-details.ts';
import type { Process } from '../../model/process.ts';
import type { RuleEvent } from '../event.ts';
import { capabilityNames } from './capability-names.ts';
import { single } from './define.ts';
import type { Field, ValueOf } from './field.ts';
import { MAX_ANCESTORS, startOf } from './process-fields.ts';
import { terminalNumber } from './terminal-number.ts';

/** include/uapi/linux/magic.h. */
const OVERLAY = 0x794c7630;

type Leader = (process: Process, details: ExecDetails) => Process | null;

/**
 * What the start of a program tells of its file and of who runs it. A process that was there before the agent has no value
 * of these; what it changes after its start is not followed.
 */
export const EXEC_FIELDS: readonly Field[] = [
  told(
    'proc.tty',
    'number',
    'Device number of the controlling terminal, 34816 for /dev/pts/0; 0 for none.',
    ({ terminal }) => (terminal === null ? 0 : terminalNumber(terminal)),
  ),

  told('proc.sid', 'number', 'Id of the session, as the host sees it.', ({ session }) => session),
  told(
    'proc.is_sid_leader',
    'boolean',
    'Whether the process leads its session.',
    ({ session }, { pid }) => session === pid,
  ),
  ...leaders('sid', 'session', sessionLeader, { name: 'proc.sname', exe: 'proc.sid.exe' }),
  told(
    'proc.pgid',
    'number',
    'Id of the process group, as the host sees it.',
    ({ processGroup }) => processGroup,
  ),
  ...['pgid', 'vpgid'].flatMap((group) => [
    told(
      `proc.is_${group}_leader`,
      'boolean',
      'Whether the process leads its process group.',
      ({ processGroup }, { pid }) => processGroup === pid,
    ),
    ...leaders(group, 'process group, if that is the process or an ancestor of it', groupLeader, {
      name: `proc.${group}.name`,
      exe: `proc.${group}.exe`,
    }),
  ]),

  told(
    'proc.is_exe_upper_layer',
    'boolean',
    "Whether the executable file is in a container's own layer: made or changed since the start from its image.",
    ({ isUpperLayer }) => isUpperLayer,
  ),
  told(
    'proc.is_exe_lower_layer',
    'boolean',
    "Whether the executable file is in a layer of a container's image.",
    ({ isUpperLayer, fileSystem }) => fileSystem === OVERLAY && !isUpperLayer,
  ),
  told(
    'proc.exe_ino.ctime',
    'number',
    'When the executable file was changed, its owner or mode too, in nanoseconds since the epoch.',
    ({ changeTimeMs }) => nanoseconds(changeTimeMs),
  ),
  told(
    'proc.exe_ino.mtime',
    'number',
    'When the executable file was written to, in nanoseconds since the epoch.',
    ({ modificationTimeMs }) => nanoseconds(modificationTimeMs),
  ),
  told(
    'proc.exe_ino.ctime_duration_proc_start',
    'number',
    'Nanoseconds from the change of the executable file to the start of the process; 0 if it was changed after it.',
    ({ changeTimeMs }, process, event) => {
      const changed = nanoseconds(changeTimeMs);
      const started = startOf(event, process);
      return changed === null || started === null ? null : Math.max(0, started - changed);
    },
  ),

  told(
    'thread.cap_permitted',
    'string',
    'Capabilities that the process may use, by name, with blanks between.',
    ({ capabilities }) => capabilityNames(capabilities.permitted),
  ),
  told(
    'thread.cap_inheritable',
    'string',
    'Capabilities that survive an exec, likewise.',
    ({ capabilities }) => capabilityNames(capabilities.inheritable),
  ),
  told('thread.cap_effective', 'string', 'Capabilities in force, likewise.', ({ capabilities }) =>
    capabilityNames(capabilities.effective),
  ),

  told(
    'user.loginuid',
    'number',
    'Id of the user who logged in, kept through su and sudo; -1 for none.',
    ({ loginUid }) => loginUid ?? -1,
  ),
  told('user.loginname', 'string', 'Name of the user who logged in.', (_, { loginName }) =>
    loginName === null || loginName === undefined ? null : byteStringFromText(loginName),
  ),
];

function told<Type extends 'string' | 'number' | 'boolean'>(
  name: string,
  type: Type,
  description: string,
  get: (details: ExecDetails, process: Process, event: RuleEvent) => ValueOf[Type] | null,
): Field {
  return single<Type>(name, type, description, (event) => {
    const process = event.process;
    const details = process?.details ?? null;
    return process === null || details === null ? null : get(details, process, event);
  });
}

/** What is known of the leader of a session or a group. */
function leaders(prefix: string, of: string, leader: Leader, names: { name: string; exe: string }): Field[] {
  const property = (name: string, what: string, get: (process: Process) => ByteString | undefined): Field =>
    told(name, 'string', `${what} of the leader of the ${of}.`, (details, process) => {
      const found = leader(process, details);
      return found === null ? null : get(found) || null;
    });
  return [
    property(names.name, 'Name', ({ comm }) => comm),
    property(names.exe, 'First argument', ({ argv }) => argv[0]),
    property(`proc.${prefix}.exepath`, 'Path of the executable file', ({ executable }) => executable),
  ];
}

/** It made the session, and all others of it descend from it. Where it is not known any more, the first of them that is. */
function sessionLeader(process: Process, { session }: ExecDetails): Process | null {
  if (session === 0) return null;
  const leader = withPid(process, session);
  if (leader !== null) return leader;
  let oldest = process;
  for (let step = 0; step < MAX_ANCESTORS; step++) {
    const { parent } = oldest;
    if (parent?.details?.session !== session) break;
    oldest = parent;
  }
  return oldest;
}

/** It may be a sibling, as the first of a pipeline is: that one is not known. */
function groupLeader(process: Process, { processGroup }: ExecDetails): Process | null {
  return withPid(process, processGroup);
}

/** The process or the ancestor that has this id. */
function withPid(process: Process, pid: number): Process | null {
  let node: Process | null = process;
  for (let step = 0; node !== null && step < MAX_ANCESTORS; step++) {
    if (node.pid === pid) return node;
    node = node.parent;
  }
  return null;
}

/** As exact as a number is, which is a quarter of a microsecond; null for 0, which file systems without the time say. */
function nanoseconds(timeMs: number): number | null {
  return timeMs === 0 ? null : Math.round(timeMs * 1e3) * 1e3;
}
