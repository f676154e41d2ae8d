import type { MappedFile } from '../uprobes/mapped-files.ts';
import { findGoUnits, goVersion } from './go.ts';
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

/** Finds out which processes run goroutines or tasks, and tells the kernel where it finds the one that runs. */
export class UnitRuntimes {
  readonly #host: UnitHost;
  readonly #told = new Set<number>();
  /** Programs that are none of Go. */
  readonly #others = new Set<string>();
  readonly #givenUp = new Set<UnitKind>();

  constructor(host: UnitHost) {
    this.#host = host;
  }

  /** The process is another program now, or none. */
  forget(pid: number): void {
    this.#told.delete(pid);
  }

  /** Goroutines need no probe: what the program's own file says is enough. */
  lookAtProgram(pid: number, program: MappedFile): void {
    if (this.#told.has(pid) || this.#others.has(program.key)) return;
    this.#inspect(pid, program, (memory, file) => {
      if (goVersion(file) === null) this.#rememberOther(program.key);
      else this.#tell(pid, findGoUnits(memory, file));
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
    if (this.#told.size >= MAX_REMEMBERED) this.#told.clear();
    this.#told.add(pid);
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
