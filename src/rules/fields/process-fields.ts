import type { ByteString } from '../../base/bytes.ts';
import type { Process } from '../../model/process.ts';
import type { RuleEvent } from '../event.ts';
import { argsOf, commandLineOf, exeLineOf } from './command-line.ts';
import { field, single } from './define.ts';
import type { Field, ValueOf } from './field.ts';

/** Known some time after the event: who evaluates rules waits for it. */
export const HASH_FIELD = 'proc.hash.sha256';

/** Ancestors that are looked at: chains are far shorter, and end at the first process. */
export const MAX_ANCESTORS = 256;

type Property<Type extends 'string' | 'number'> = (process: Process) => ValueOf[Type] | null;

const known = (text: ByteString): ByteString | null => (text === '' ? null : text);

const name: Property<'string'> = (process) => known(process.comm);
const exe: Property<'string'> = (process) => process.argv[0] ?? null;
const exePath: Property<'string'> = (process) => known(process.executable);
const commandLine: Property<'string'> = (process) => (process.comm === '' ? null : commandLineOf(process));
const pid: Property<'number'> = (process) => process.pid;

const identity: Property<'string'> = (process) => `${process.pid}.${process.startTicks}`;

/** Nanoseconds since boot. */
const startNs = (process: Process): number => process.startTicks * 10_000_000;

export const PROCESS_FIELDS: readonly Field[] = [
  own('proc.name', 'string', 'Name of the process, as the kernel has it: at most 15 bytes.', name),
  own('proc.exe', 'string', 'First argument of the program: its name as it was called, mostly.', exe),
  own('proc.exepath', 'string', 'Path of the executable file, symbolic links followed.', exePath),
  own('proc.args', 'string', 'Arguments behind the first, with blanks between.', argsOf),
  own('proc.cmdline', 'string', 'Name and arguments, with blanks between.', commandLine),
  own('proc.exeline', 'string', 'All arguments, the first included, with blanks between.', exeLineOf),
  own('proc.cmdnargs', 'number', 'Number of arguments behind the first.', ({ argv }) =>
    Math.max(0, argv.length - 1),
  ),
  own('proc.cmdlenargs', 'number', 'Bytes of the arguments behind the first, without blanks.', lengthOfArgs),
  own('proc.cwd', 'string', 'Working directory; ends with a slash.', workingDirectory),
  own('proc.pid', 'number', 'Id of the process, as the host sees it.', pid),
  own('proc.ppid', 'number', 'Id of its parent.', ({ parentPid }) => parentPid),
  own(
    'proc.id',
    'string',
    'Id of the process and when it started, as one: unlike proc.pid never used again.',
    identity,
  ),
  own('proc.exe_ino', 'number', 'Inode number of the executable file.', ({ inode }) =>
    inode === 0 ? null : inode,
  ),
  own(
    HASH_FIELD,
    'string',
    'SHA-256 of the executable file, in lower-case hexadecimal digits. Rules that ask for it wait for it, a second at most.',
    ({ file }) => file?.hash?.sha256 ?? null,
  ),
  own(
    'proc.loginshellid',
    'number',
    'Id of the oldest shell among the process and its ancestors.',
    loginShell,
  ),
  own(
    'proc.stdin.type',
    'string',
    'What descriptor 0 was when the program started.',
    ({ stdio }) => stdio[0],
  ),
  own(
    'proc.stdout.type',
    'string',
    'What descriptor 1 was when the program started.',
    ({ stdio }) => stdio[1],
  ),
  own(
    'proc.stderr.type',
    'string',
    'What descriptor 2 was when the program started.',
    ({ stdio }) => stdio[2],
  ),
  single(
    'proc.is_exe_from_memfd',
    'boolean',
    'Whether the program was started from memory (memfd_create) and not from a file system.',
    ({ process }) => (process === null ? null : isFromMemory(process)),
  ),
  single('proc.duration', 'number', 'Nanoseconds since the process started.', ({ process, timeNs }) =>
    process === null ? null : Math.max(0, timeNs - startNs(process)),
  ),
  single('proc.pid.ts', 'number', 'When the process started, in nanoseconds since the epoch.', (event) =>
    startOf(event, event.process),
  ),

  parents('proc.pname', 'string', 'Name of the parent.', name),
  parents('proc.pexe', 'string', "First argument of the parent's program.", exe),
  parents('proc.pexepath', 'string', "Path of the parent's executable file.", exePath),
  parents('proc.pcmdline', 'string', 'Name and arguments of the parent.', commandLine),
  parents('proc.parent_id', 'string', 'The same of the parent: what its children have in common.', identity),
  single('proc.ppid.duration', 'number', 'Nanoseconds since the parent started.', ({ process, timeNs }) => {
    const parent = process?.parent ?? null;
    return parent === null ? null : Math.max(0, timeNs - startNs(parent));
  }),
  single('proc.ppid.ts', 'number', 'When the parent started, in nanoseconds since the epoch.', (event) =>
    startOf(event, event.process?.parent ?? null),
  ),

  ancestors('proc.aname', 'string', 'Name', name),
  ancestors('proc.aexe', 'string', 'First argument', exe),
  ancestors('proc.aexepath', 'string', 'Path of the executable file', exePath),
  ancestors('proc.acmdline', 'string', 'Name and arguments', commandLine),
  ancestors('proc.apid', 'number', 'Id', pid),

  single('thread.tid', 'number', 'Id of the thread.', ({ tid }) => tid),
  single(
    'thread.nametid',
    'string',
    'Name of the process and id of the thread, as one.',
    ({ process, tid }) => (process === null ? null : `${process.comm}${tid}`),
  ),
  single('thread.ismain', 'boolean', 'Whether it is the main thread of its process.', ({ process, tid }) =>
    process === null ? null : process.pid === tid,
  ),
];

function own<Type extends 'string' | 'number'>(
  fieldName: string,
  type: Type,
  description: string,
  property: Property<Type>,
): Field {
  return single<Type>(fieldName, type, description, ({ process }) =>
    process === null ? null : property(process),
  );
}

function parents<Type extends 'string' | 'number'>(
  fieldName: string,
  type: Type,
  description: string,
  property: Property<Type>,
): Field {
  return single<Type>(fieldName, type, description, ({ process }) => {
    const parent = process?.parent ?? null;
    return parent === null ? null : property(parent);
  });
}

/** With an index that ancestor (0 is the process itself); without one any of them, the process itself not among them. */
function ancestors<Type extends 'string' | 'number'>(
  fieldName: string,
  type: Type,
  what: string,
  property: Property<Type>,
): Field {
  const description = `${what} of an ancestor: [1] is the parent, [2] its parent, [0] the process itself; without an index any ancestor.`;
  return field(fieldName, type, 'index', description, 'any', (argument) => {
    if (argument === null) {
      return {
        shape: 'any',
        type,
        isEveryUnequal: false,
        some: (event, test) => someAncestor(event, property, test),
      };
    }
    const steps = Number(argument);
    return {
      shape: 'single',
      type,
      get: ({ process }) => {
        const ancestor = ancestorOf(process, steps);
        return ancestor === null ? null : property(ancestor);
      },
    };
  });
}

function someAncestor<Type extends 'string' | 'number'>(
  { process }: RuleEvent,
  property: Property<Type>,
  test: (value: ValueOf[Type]) => boolean,
): boolean {
  let node = process?.parent ?? null;
  for (let step = 0; node !== null && step < MAX_ANCESTORS; step++) {
    const value = property(node);
    if (value !== null && test(value)) return true;
    node = node.parent;
  }
  return false;
}

function ancestorOf(process: Process | null, steps: number): Process | null {
  let node = process;
  for (let step = 0; node !== null && step < steps; step++) node = step < MAX_ANCESTORS ? node.parent : null;
  return node;
}

function lengthOfArgs({ argv }: Process): number {
  let length = 0;
  for (let index = 1; index < argv.length; index++) length += argv[index]?.length ?? 0;
  return length;
}

function workingDirectory({ workingDirectory: path }: Process): ByteString | null {
  return path === '' || path.endsWith('/') ? known(path) : `${path}/`;
}

/** Of a process that was there before the agent its path tells: the kernel names such a file so. */
function isFromMemory({ details, executable }: Process): boolean | null {
  if (details !== null && details !== undefined) return details.isMemoryFile;
  if (executable === '') return null;
  return executable.startsWith('/memfd:') || executable.startsWith('memfd:');
}

const SHELLS = new Set(['sh', 'bash', 'csh', 'zsh', 'ksh', 'dash', 'ash', 'tcsh', 'fish']);

function loginShell(process: Process): number | null {
  let oldest: number | null = null;
  let node: Process | null = process;
  for (let step = 0; node !== null && step < MAX_ANCESTORS; step++) {
    if (SHELLS.has(node.comm)) oldest = node.pid;
    node = node.parent;
  }
  return oldest;
}

/** Nanoseconds since the epoch; as exact as a number is, which is a quarter of a microsecond. */
export function startOf(event: RuleEvent, process: Process | null): number | null {
  if (process === null) return null;
  return event.wallMs * 1e6 - (event.timeNs - startNs(process));
}
