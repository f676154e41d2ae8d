import { readdirSync } from 'node:fs';
import type { ByteString } from '../../base/bytes.ts';
import { selectVariables } from '../../model/environment.ts';
import { UNIFIED, type CgroupHierarchy } from '../../model/cgroup-hierarchy.ts';
import type { Fact } from '../../model/event.ts';
import { hierarchyMounts, inodeInMounts, pathInHierarchy } from './cgroup-mounts.ts';
import { readProcFile, readProcLink } from './proc-files.ts';

type ProcessFact = Extract<Fact, { kind: 'process' }>;

/** The kernel side captures no more than that of an exec either. */
const MAX_ARGV_BYTES = 32 * 1024;

/**
 * Every process that there is now, kernel threads included, in the order of their start: parents come before their
 * children. Processes that end while they are read are left out.
 *
 * @param variables of their environments that are told
 * @param hierarchy whose ids their cgroups are told by
 */
export function readProcesses(
  procRoot = '/proc',
  variables: ReadonlySet<ByteString> = new Set(),
  hierarchy: CgroupHierarchy = UNIFIED,
): ProcessFact[] {
  const inodes = new CgroupInodes(procRoot, hierarchy);
  const facts: ProcessFact[] = [];
  for (const name of readdirSync(procRoot)) {
    if (!/^[1-9][0-9]*$/.test(name)) continue;
    const fact = readProcess(procRoot, Number(name), inodes, variables);
    if (fact !== null) facts.push(fact);
  }
  return facts.sort((left, right) => left.startTicks - right.startTicks || left.pid - right.pid);
}

/** Inodes of cgroup directories; many processes share one. */
class CgroupInodes {
  readonly #hierarchy: CgroupHierarchy;
  readonly #mounts: string[];
  readonly #inodes = new Map<string, number>();

  constructor(procRoot: string, hierarchy: CgroupHierarchy) {
    this.#hierarchy = hierarchy;
    this.#mounts = hierarchyMounts(procRoot, hierarchy);
  }

  /**
   * Inode, which is the cgroup's id, or 0 where it cannot be told.
   * @param cgroupFile content of /proc/PID/cgroup
   */
  get(cgroupFile: ByteString): number {
    const path = pathInHierarchy(cgroupFile, this.#hierarchy) ?? '';
    let inode = this.#inodes.get(path);
    if (inode === undefined) {
      inode = inodeInMounts(this.#mounts, path) ?? 0;
      this.#inodes.set(path, inode);
    }
    return inode;
  }
}

function readProcess(
  procRoot: string,
  pid: number,
  inodes: CgroupInodes,
  variables: ReadonlySet<ByteString>,
): ProcessFact | null {
  const folder = `${procRoot}/${pid}`;
  const stat = parseStat(readProcFile(`${folder}/stat`));
  if (stat === null || stat.isEnded) return null;
  const status = readProcFile(`${folder}/status`) ?? '';
  const fact: ProcessFact = {
    kind: 'process',
    pid,
    parentPid: stat.parentPid,
    startTicks: stat.startTicks,
    comm: stat.comm,
    executable: readProcLink(`${folder}/exe`),
    argv: splitArguments(readProcFile(`${folder}/cmdline`, MAX_ARGV_BYTES) ?? ''),
    workingDirectory: readProcLink(`${folder}/cwd`),
    uid: realId(status, 'Uid'),
    gid: realId(status, 'Gid'),
    cgroupId: inodes.get(readProcFile(`${folder}/cgroup`) ?? ''),
  };
  if (variables.size > 0) {
    const environment = readProcFile(`${folder}/environ`, MAX_ARGV_BYTES) ?? '';
    fact.environment = [...selectVariables(environment.split('\0').slice(0, -1), variables)];
  }
  // It may have ended half-way and the pid may be another's by now.
  return parseStat(readProcFile(`${folder}/stat`))?.startTicks === stat.startTicks ? fact : null;
}

interface ProcessStat {
  comm: ByteString;
  parentPid: number;
  /** Field 22: start time in ticks of 10 ms since boot. */
  startTicks: number;
  /** A zombie: its last thread has ended, which no event will tell any more. */
  isEnded: boolean;
}

/** `PID (comm) state ppid ...`: comm may hold anything, parentheses and newlines too, and the last `)` ends it. */
export function parseStat(stat: ByteString | null): ProcessStat | null {
  if (stat === null) return null;
  const open = stat.indexOf('(');
  const close = stat.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  // The first field behind the parenthesis is number 3.
  const fields = stat.slice(close + 2).split(' ');
  const parentPid = Number(fields[1]);
  const startTicks = Number(fields[19]);
  if (!Number.isSafeInteger(parentPid) || !Number.isSafeInteger(startTicks)) return null;
  // A leader may end before the other threads of its process (field 20 counts them).
  const isEnded = (fields[0] === 'Z' || fields[0] === 'X') && Number(fields[17]) <= 1;
  return { comm: stat.slice(open + 1, close), parentPid, startTicks, isEnded };
}

/** Arguments out of /proc/PID/cmdline: each is ended by a NUL byte. */
export function splitArguments(commandLine: ByteString): ByteString[] {
  if (commandLine === '') return [];
  const list = commandLine.endsWith('\0') ? commandLine.slice(0, -1).split('\0') : commandLine.split('\0');
  // A program that wrote a title over its arguments (nginx, postgres) leaves NUL bytes behind it.
  const isTitle = list.length > 2 && list.every((argument, index) => index === 0 || argument === '');
  return isTitle ? list.slice(0, 1) : list;
}

/** Real id: the first of `Uid: real effective saved fs`. The nobody of the kernel, 65534, where it is not told. */
function realId(status: ByteString, name: 'Uid' | 'Gid'): number {
  const match = new RegExp(`^${name}:\\s*([0-9]+)`, 'm').exec(status);
  return match === null ? 65_534 : Number(match[1]);
}
