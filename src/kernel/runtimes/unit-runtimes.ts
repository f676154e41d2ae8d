import type { MappedFile } from '../uprobes/mapped-files.ts';
import { findGoUnits } from './go.ts';
import { LoadedFile, ProcessMemory, startTicksOf } from './process-memory.ts';
import { findPythonUnits } from './python.ts';
import type { UnitKind, UnitLayout } from './unit-layout.ts';

/** Where the kernel side is told of processes whose units are no threads. */
export interface UnitHost {
  setRuntime(pid: number, startTicks: number, layout: UnitLayout): void;
  /** What units are made by is not seen any more: from now on, threads are the units of such processes. */
  giveUp(kind: UnitKind): void;
}

/** Processes and files that are remembered, so that none is looked at twice in vain. */
const MAX_REMEMBERED = 4096;
/** They are gone through often. */
const MAX_UNFINISHED = 64;

/** Finds out which processes run goroutines or tasks, and tells the kernel where it finds the one that runs. */
export class UnitRuntimes {
  readonly #host: UnitHost;
  readonly #told = new Set<number>();
  /** Of those, the ones of which not everything is known. */
  readonly #unfinished = new Set<number>();
  /** Programs that are none of Go. */
  readonly #others = new Set<string>();
  readonly #givenUp = new Set<UnitKind>();

  readonly #findGo: typeof findGoUnits;

  /** @param findGo for tests */
  constructor(host: UnitHost, findGo: typeof findGoUnits = findGoUnits) {
    this.#host = host;
    this.#findGo = findGo;
  }

  /** The process is another program now, or none. */
  forget(pid: number): void {
    this.#told.delete(pid);
    this.#unfinished.delete(pid);
  }

  /** Processes that should be looked at again, though nothing new is heard of them. */
  get unfinished(): Iterable<number> {
    return this.#unfinished;
  }

  /** Goroutines need no probe: what the program's own file says is enough. */
  lookAtProgram(pid: number, program: MappedFile): void {
    if (this.#others.has(program.key) || (this.#told.has(pid) && !this.#unfinished.has(pid))) return;
    this.#inspect(pid, program, (memory, file) => {
      const found = this.#findGo(memory, file);
      if (found === 'other') this.#rememberOther(program.key);
      else this.#tell(pid, found);
    });
  }

  /** Whether the process keeps such units: where it does, what makes and frees them is to be probed. */
  uses(pid: number, file: MappedFile, kind: UnitKind): UnitLayout | null {
    if (kind !== 'python' || this.#givenUp.has(kind)) return null;
    let layout: UnitLayout | null = null;
    this.#inspect(pid, file, (memory, loaded) => {
      layout = findPythonUnits(memory, loaded);
    });
    return layout;
  }

  /** The probes are there. */
  begin(pid: number, layout: UnitLayout): void {
    this.#tell(pid, layout);
  }

  isTold(pid: number): boolean {
    return this.#told.has(pid);
  }

  /** The probes were taken off though processes need them. */
  giveUp(kind: UnitKind): void {
    this.#givenUp.add(kind);
    this.#host.giveUp(kind);
  }

  #tell(pid: number, layout: UnitLayout | null): void {
    const startTicks = startTicksOf(pid);
    if (layout === null || startTicks === null) return;
    const isUnfinished = layout.isUnfinished === true;
    // What is there already need not be told again.
    if (isUnfinished && this.#unfinished.has(pid)) return;
    if (this.#told.size >= MAX_REMEMBERED) this.#told.clear();
    this.#told.add(pid);
    if (!isUnfinished) this.#unfinished.delete(pid);
    else if (this.#unfinished.size < MAX_UNFINISHED) this.#unfinished.add(pid);
    this.#host.setRuntime(pid, startTicks, layout);
  }

  #rememberOther(key: string): void {
    if (this.#others.size >= MAX_REMEMBERED) this.#others.clear();
    this.#others.add(key);
  }

  #inspect(pid: number, mapped: MappedFile, look: (memory: ProcessMemory, file: LoadedFile) => void): void {
    try {
      using file = LoadedFile.open(mapped);
      if (file === null) return;
      using memory = new ProcessMemory(pid);
      look(memory, file);
    } catch {
      // The process is gone, or has unmapped it.
    }
  }
}
