import { bytesOf, byteString, type ByteString } from '../../base/bytes.ts';
import type { Process } from '../../model/process.ts';

interface Joined {
  args: ByteString | null;
  commandLine: ByteString | null;
  /** Name of the process that the command line was made with. */
  comm: ByteString;
  exeLine: ByteString | null;
}

/** Command lines are asked for by many rules and on every event of a process; its arguments are replaced, never changed. */
const joined = new WeakMap<readonly ByteString[], Joined>();

/** Those of the process that was asked for last: several rules ask on one event. */
let latestArgv: readonly ByteString[] | null = null;
let latest: Joined = { args: null, commandLine: null, comm: '', exeLine: null };

function joinedOf({ argv }: Process): Joined {
  if (latestArgv === argv) return latest;
  let known = joined.get(argv);
  if (known === undefined) {
    known = { args: null, commandLine: null, comm: '', exeLine: null };
    joined.set(argv, known);
  }
  latestArgv = argv;
  latest = known;
  return known;
}

/** Arguments after the program's name, with a blank between. */
export function argsOf(process: Process): ByteString {
  const known = joinedOf(process);
  known.args ??= flat(process.argv.slice(1).join(' '));
  return known.args;
}

/** Name and arguments. */
export function commandLineOf(process: Process): ByteString {
  const known = joinedOf(process);
  if (known.commandLine === null || known.comm !== process.comm) {
    known.comm = process.comm;
    known.commandLine = flat([process.comm, ...process.argv.slice(1)].join(' '));
  }
  return known.commandLine;
}

/** First argument and the others. */
export function exeLineOf(process: Process): ByteString {
  const known = joinedOf(process);
  known.exeLine ??= flat(process.argv.join(' '));
  return known.exeLine;
}

/** V8 may keep what was put together as a tree, and goes through it for each character that is asked for. */
function flat(text: ByteString): ByteString {
  return byteString(bytesOf(text));
}
