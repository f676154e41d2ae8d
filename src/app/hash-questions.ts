import { dropOldest } from '../base/oldest.ts';
import type { Effect } from '../model/effect.ts';
import type { ExecutableFile, HashQuestion } from '../model/executable.ts';
import type { Fact } from '../model/event.ts';
import type { Detection, Finding } from '../model/finding.ts';
import type { Process } from '../model/process.ts';
import type { ProcessTable } from '../world/process-table.ts';

/** Files that are asked for once. Should there ever be more, the oldest may be asked for again. */
const MAX_ASKED = 8192;
/** Ancestors through which a file may be found once the process has ended. */
const MAX_RELATIVES = 8;

/** Asks for hashes of executables, each once, and knows which answers are still to come. */
export class HashQuestions {
  readonly #world: ProcessTable;
  readonly #ask: (question: HashQuestion) => void;
  readonly #asked = new Map<string, true>();
  /** Somebody answers, or a recording has the answers. */
  #isAnswered = false;

  constructor(world: ProcessTable, ask: (question: HashQuestion) => void) {
    this.#world = world;
    this.#ask = ask;
  }

  fact(fact: Extract<Fact, { kind: 'hashing' | 'hash' }>): void {
    if (fact.kind === 'hashing') {
      this.#isAnswered = true;
      return;
    }
    const { file, sha256, problem } = fact;
    this.#world.executables.learn(
      file,
      problem === '' ? { sha256, problem: null } : { sha256: null, problem },
    );
  }

  isPending(file: ExecutableFile | null | undefined): boolean {
    return this.#isAnswered && file !== null && file !== undefined && file.hash === null;
  }

  /** @param process who runs it, or has run it */
  ask(file: ExecutableFile | null, process: Process): void {
    if (!this.#isAnswered || file === null || file.hash !== null || this.#asked.has(file.key)) return;
    if (this.#asked.size >= MAX_ASKED) dropOldest(this.#asked);
    this.#asked.set(file.key, true);
    const { key, executed, path, mountNamespace } = file;
    const relatives: number[] = [];
    for (let next = process.parent; next !== null && relatives.length < MAX_RELATIVES; next = next.parent)
      if (next.exitedNs === null) relatives.push(next.pid);
    const { pid, startTicks } = process;
    this.#ask({ key, executed, path, mountNamespace, pid, startTicks, relatives });
  }

  /** Asks for the programs that a detection, or a finding, is about. @returns their files */
  askOf(detection: Detection & Partial<Pick<Finding, 'story'>>): readonly ExecutableFile[] {
    const files = new Set<ExecutableFile>();
    const add = (file: ExecutableFile | null, process: Process): void => {
      if (file === null) return;
      this.ask(file, process);
      files.add(file);
    };
    const { effect, request, story = [] } = detection;
    for (const one of effect === null ? story : [effect, ...story]) add(this.#fileOf(one), one.process);
    if (effect === null && request !== null) add(this.#world.fileOf(request.process), request.process);
    return [...files];
  }

  /** The program that an effect is about: the one that it starts, else the one that made it. */
  #fileOf(effect: Effect): ExecutableFile | null {
    return effect.type === 'exec' ? (effect.file ?? null) : this.#world.fileOf(effect.process);
  }
}
