import type { EffectView, ExecEffectView } from '../views.ts';

/** Effects of one request as a tree of the programs that caused them. */
export interface ProgramNode {
  readonly pid: number;
  readonly comm: string;
  /** What started this program; null for the server itself and for processes whose start was not seen. */
  readonly exec: ExecEffectView | null;
  readonly parent: ProgramNode | null;
  readonly depth: number;
  /** Files, connections, queries and further programs in order of time. */
  readonly items: (EffectView | ProgramNode)[];
  exitCode: number | null;
  /** ISO time of its exit; null while it runs, and where nobody saw it. */
  endedAt: string | null;
}

/** Deeper programs are shown at this depth: a chain of a thousand shells must not run off the screen. */
const MAX_DEPTH = 24;

export function isProgram(item: EffectView | ProgramNode): item is ProgramNode {
  return 'items' in item;
}

/**
 * The tree of effects, given in order of time. The root is the server; a program that replaces another one in the
 * same process stands below it; processes whose parent is unknown stand below the root.
 */
export function effectTree(effects: readonly EffectView[], rootPid: number): ProgramNode {
  const root = createNode(rootPid, '', null, null);
  /** The newest program of each process. */
  const programs = new Map<number, ProgramNode>([[rootPid, root]]);

  const running = (pid: number): ProgramNode | undefined => {
    const program = programs.get(pid);
    return program?.exitCode === null ? program : undefined;
  };
  const attach = (effect: EffectView, exec: ExecEffectView | null): ProgramNode => {
    // A parent may have ended already: its background jobs are still its story.
    let parent = running(effect.pid) ?? programs.get(effect.ppid) ?? root;
    while (parent.depth >= MAX_DEPTH && parent.parent !== null) parent = parent.parent;
    const node = createNode(effect.pid, effect.comm, exec, parent);
    parent.items.push(node);
    programs.set(effect.pid, node);
    return node;
  };

  for (const effect of effects) {
    switch (effect.type) {
      case 'exec':
        attach(effect, effect);
        break;
      case 'exit': {
        const program = running(effect.pid) ?? attach(effect, null);
        program.exitCode = effect.code;
        program.endedAt = effect.time;
        break;
      }
      case 'action':
      case 'open':
      case 'connect':
      case 'query': {
        const program = running(effect.pid) ?? attach(effect, null);
        program.items.push(effect);
        break;
      }
    }
  }
  return root;
}

function createNode(
  pid: number,
  comm: string,
  exec: ExecEffectView | null,
  parent: ProgramNode | null,
): ProgramNode {
  const depth = parent === null ? 0 : parent.depth + 1;
  return { pid, comm, exec, parent, depth, items: [], exitCode: null, endedAt: null };
}
