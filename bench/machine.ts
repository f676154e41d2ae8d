import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What the figures depend on. No host name: the report is published. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.version,
  };
}
