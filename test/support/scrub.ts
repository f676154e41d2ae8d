/** What is taken out of recordings before they become fixtures: nothing in them tells on which machine they were made. */
import { homedir, hostname, release } from 'node:os';
import { join } from 'node:path';
import { EVENT_KIND } from '../../src/abi/abi.gen.ts';
import type { Fact } from '../../src/model/event.ts';
import { factFrame, factOf, headOf, type Frame } from './recordings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const KERNEL = '6.18.0';
const SESSION = 'fixture0-0000-0000-0000-000000000000';
const KEPT_USERS: ReadonlySet<string> = new Set(['root', 'nobody', 'www-data']);
/** A plain path, or a line of /proc/PID/cgroup. Made by the load itself: nothing of the machine is in it. */
const CONTAINER = /^(?:0::)?(\/docker\/[0-9a-f]{64})$/;

export type ProcessFact = Extract<Fact, { kind: 'process' }>;

export interface ScrubOptions {
  /** Pid of the process of which, and of whose descendants, all is kept; of itself only what makes it an ancestor. */
  readonly root: number;
  /** What is kept of a process that was there before; the first of all is kept. null: it has no part in it. */
  readonly ancestor: (fact: ProcessFact) => ProcessFact | null;
  /** The load has a cgroup of its own, so that what a flood in others costs is theirs. */
  readonly hasOwnCgroup?: boolean;
}

/** The processes that descend from one, with it. */
function treeOf(root: number, frames: readonly Frame[]): Set<number> {
  const tree = new Set([root]);
  for (const frame of frames) {
    const head = headOf(frame);
    if (head?.kind === EVENT_KIND.FORK && tree.has(head.pid)) tree.add(head.childPid);
  }
  return tree;
}

/** Of the load's own process, which is the client, only what makes it an ancestor is kept. */
function isKept(frame: Frame, tree: ReadonlySet<number>, root: number): boolean {
  const head = headOf(frame);
  if (head === null) return false;
  if (head.kind === EVENT_KIND.FORK) return tree.has(head.childPid);
  if (head.pid !== root) return tree.has(head.pid);
  return head.kind === EVENT_KIND.EXEC || head.kind === EVENT_KIND.EXIT;
}

export function scrub(
  frames: readonly Frame[],
  { root, ancestor, hasOwnCgroup = false }: ScrubOptions,
): Frame[] {
  const tree = treeOf(root, frames);
  const events = frames.filter((frame) => isKept(frame, tree, root));
  const cgroups = new Set(events.map((frame) => headOf(frame)?.cgroupId));
  const kept = new Set(events);
  const result: Frame[] = [];
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact !== null && hasOwnCgroup && isLossOfOthers(fact, cgroups)) continue;
    if (fact === null) {
      if (kept.has(frame)) result.push(frame);
      continue;
    }
    const clean = scrubFact(fact, ancestor, cgroups);
    if (clean !== null) result.push(factFrame(clean));
  }
  return result;
}

function scrubFact(
  fact: Fact,
  ancestor: ScrubOptions['ancestor'],
  cgroups: ReadonlySet<number | undefined>,
): Fact | null {
  switch (fact.kind) {
    case 'clock':
      return fact;
    case 'host':
      return { ...fact, hostname: 'fixture', kernel: KERNEL, sessionId: SESSION };
    case 'process':
      if (fact.pid === 1) return { ...fact, ...madeUp('systemd', ['/sbin/init']) };
      return ancestor(fact);
    case 'cgroup':
      if (!cgroups.has(fact.cgroupId)) return null;
      return { ...fact, paths: [containerOf(fact.paths) ?? '/user.slice/user-0.slice/session-1.scope'] };
    case 'user':
    case 'group':
      return KEPT_USERS.has(fact.name) ? fact : null;
    case 'agent':
    case 'killed':
    case 'container':
    case 'hashing':
    case 'hash':
      return null; // what it is made of runs on the host
    case 'loss':
    case 'blind':
    case 'tampered':
      throw new Error(`events were lost, try again: ${JSON.stringify(fact)}`);
  }
}

export function madeUp(comm: string, argv: string[]) {
  return { comm, argv, executable: `/usr/bin/${comm}`, workingDirectory: '/' };
}

/** Whatever would tell where it was made. */
export function assertAnonymous(path: string, frames: readonly Frame[]): void {
  const words = [ROOT, homedir(), release(), process.env['SUDO_USER'] ?? '', hostname()].filter(
    (word) => word.length >= 4 && word !== '/root',
  );
  for (const { content } of frames) {
    const text = content.toString('latin1');
    for (const word of words) if (text.includes(word)) throw new Error(`${path} holds ${word}`);
  }
}

function containerOf(paths: readonly string[]): string | undefined {
  return paths.map((path) => CONTAINER.exec(path)?.[1]).find((path) => path !== undefined);
}

/** The blind spots say whose events were lost; that all losses were of this kind, their sum. */
function isLossOfOthers(fact: Fact, cgroups: ReadonlySet<number | undefined>): boolean {
  if (fact.kind === 'blind') return fact.reason === 'cgroup-budget' && !cgroups.has(fact.cgroupId);
  return fact.kind === 'loss' && Object.keys(fact.reasons).every((reason) => reason === 'cgroup-budget');
}
