import { bytesOf, byteString, type ByteString } from '../../base/bytes.ts';
import type { Process } from '../../model/process.ts';

interface Joined {
  comm: ByteString;
  args: ByteString;
  cmdline: ByteString;
  exeline: ByteString;
}

/** Command lines are asked for by many rules and on every event of a process; the arguments are replaced, never changed. */
const joined = new WeakMap<readonly ByteString[], Joined>();

function joinedOf(process: Process): Joined {
  const known = joined.get(process.argv);
  if (known !== undefined && known.comm === process.comm) return known;
  const args = process.argv.slice(1).join(' ');
  const tail = args === '' ? '' : ` ${args}`;
  const made = {
    comm: process.comm,
    args,
    cmdline: flat(process.comm + tail),
    exeline: flat((process.argv[0] ?? '') + tail),
  };
  joined.set(process.argv, made);
  return made;
}

/** V8 keeps what was concatenated as a tree, and goes through it for each character that is asked for. */
function flat(text: ByteString): ByteString {
  return byteString(bytesOf(text));
}

/** Arguments after the program's name, with a blank between. */
export function argsOf(process: Process): ByteString {
  return joinedOf(process).args;
}

/** Name and arguments. */
export function commandLineOf(process: Process): ByteString {
  return joinedOf(process).cmdline;
}

/** First argument and the others. */
export function exeLineOf(process: Process): ByteString {
  return joinedOf(process).exeline;
}
