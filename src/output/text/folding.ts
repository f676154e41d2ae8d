import { isLibraryFile } from '../library-files.ts';
import { isRoutine } from '../routine-effects.ts';
import type { EffectView, OpenEffectView } from '../views.ts';
import { isProgram, type ProgramNode } from './effect-tree.ts';

/** From so many files on, a run of them becomes one line. */
const MIN_RUN = 4;

/** One line of a tree, before it is written. */
export type Entry =
  | { readonly kind: 'program'; readonly program: ProgramNode; count: number }
  | { readonly kind: 'effect'; readonly effect: EffectView; count: number }
  | {
      readonly kind: 'files';
      readonly effects: readonly OpenEffectView[];
      /** Directory that holds them all, with its last slash; '' where they have none in common. */
      readonly directory: string;
    };

/** What programs do on the side, counted. */
export interface Noise {
  libraries: number;
  routine: number;
  /** Copies of the program that ended without having done anything, such as the subshells of a script. */
  forks: number;
}

export interface Folded {
  readonly entries: readonly Entry[];
  readonly noise: Noise;
}

export interface FoldingOptions {
  /** Nothing is folded but what is equal. */
  readonly showsAll: boolean;
  /** Never folded. */
  readonly isDecisive?: (effect: EffectView) => boolean;
}

/** What one program did, as a reader wants it: noise counted, equal things once, runs of files as one. */
export function folded(node: ProgramNode, options: FoldingOptions): Folded {
  const noise: Noise = { libraries: 0, routine: 0, forks: 0 };
  const libraries = new Set<string>();
  const entries: Entry[] = [];
  const known = new Map<string, { count: number }>();
  for (const item of node.items) {
    if (isProgram(item)) {
      if (!options.showsAll && isIdleFork(item)) noise.forks++;
      else addProgram(entries, item);
      continue;
    }
    if (!options.showsAll && !(options.isDecisive?.(item) ?? false)) {
      if (isLibraryFile(item)) {
        if (item.type === 'open') libraries.add(item.resolvedPath);
        continue;
      }
      if (isRoutine(item)) {
        noise.routine++;
        continue;
      }
    }
    const key = effectKey(item);
    const same = known.get(key);
    if (same !== undefined) {
      same.count++;
      continue;
    }
    const entry: Entry = { kind: 'effect', effect: item, count: 1 };
    known.set(key, entry);
    entries.push(entry);
  }
  noise.libraries = libraries.size;
  return { entries: options.showsAll ? entries : withRuns(entries, options), noise };
}

function isIdleFork(node: ProgramNode): boolean {
  return node.exec === null && node.exitCode === 0 && node.items.length === 0;
}

/** A program that did the same as the one before it (a loop of a script) only counts. */
function addProgram(entries: Entry[], program: ProgramNode): void {
  const last = entries.at(-1);
  if (last?.kind === 'program' && last.program.items.length === program.items.length) {
    if (programKey(last.program) === programKey(program)) {
      last.count++;
      return;
    }
  }
  entries.push({ kind: 'program', program, count: 1 });
}

/** All that is shown of a program but its pid and its time. */
function programKey(node: ProgramNode): string {
  const own = node.exec === null ? node.comm : effectKey(node.exec);
  const items = node.items.map((item) => (isProgram(item) ? programKey(item) : effectKey(item)));
  return JSON.stringify([own, node.exitCode, items]);
}

/** All that is shown of an effect. */
function effectKey(effect: EffectView): string {
  switch (effect.type) {
    case 'exec':
      return JSON.stringify([effect.grade, effect.executable, effect.uid, effect.argv]);
    case 'exit':
      return JSON.stringify([effect.grade, effect.code]);
    case 'open':
      return JSON.stringify([effect.grade, effect.write, effect.error, effect.resolvedPath || effect.path]);
    case 'connect': {
      const { grade, family, transport, address, port, error, inProgress } = effect;
      return JSON.stringify([grade, family, transport, address, port, error, inProgress]);
    }
    case 'action':
      return JSON.stringify([effect.grade, effect.action, effect.arguments, effect.error]);
    case 'query': {
      const { grade, protocol, statement, parameters, database, outcome, servedAs } = effect;
      return JSON.stringify([grade, protocol, statement, parameters, database, outcome, servedAs]);
    }
  }
}

/** Runs of files that were opened alike become one entry each. */
function withRuns(entries: readonly Entry[], options: FoldingOptions): Entry[] {
  const result: Entry[] = [];
  let run: Entry[] = [];
  let directory = '';
  const endRun = (): void => {
    if (run.length < MIN_RUN) result.push(...run);
    else result.push({ kind: 'files', effects: run.flatMap(openOf), directory });
    run = [];
  };
  for (const entry of entries) {
    const effect = openOf(entry)[0];
    if (effect === undefined || (options.isDecisive?.(effect) ?? false)) {
      endRun();
      result.push(entry);
      continue;
    }
    const own = directoryOf(effect.resolvedPath);
    const before = run[0] === undefined ? undefined : openOf(run[0])[0];
    const common = before === undefined ? own : commonDirectory(directory, own);
    // What failed tells by its error; what was opened, by where it lies.
    const isAlike =
      before !== undefined &&
      isOpenedAlike(before, effect) &&
      (effect.error !== null || depthOf(common) >= 2);
    if (!isAlike) endRun();
    directory = isAlike ? common : own;
    run.push(entry);
  }
  endRun();
  return result;
}

function openOf(entry: Entry): OpenEffectView[] {
  return entry.kind === 'effect' && entry.effect.type === 'open' ? [entry.effect] : [];
}

function isOpenedAlike(a: OpenEffectView, b: OpenEffectView): boolean {
  return a.write === b.write && a.error === b.error && a.grade === b.grade;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function commonDirectory(a: string, b: string): string {
  let end = 0;
  for (let at = 0; at < a.length && a[at] === b[at]; at++) if (a[at] === '/') end = at + 1;
  return a.slice(0, end);
}

function depthOf(directory: string): number {
  return directory.split('/').length - 2;
}
