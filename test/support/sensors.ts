import { arch, release } from 'node:os';
import { join } from 'node:path';
import { native } from '../../src/kernel/libbpf.ts';
import { loadSensors, type LoadedSensors, type LoadOptions } from '../../src/kernel/loader.ts';
import { possibleProcessors } from '../../src/kernel/processors.ts';

/** The sensors of this checkout, loaded and attached by this process; to be disposed of. */
export function loadHere(changes: Partial<LoadOptions> = {}): LoadedSensors {
  return loadSensors(native(), {
    objectPath: join(import.meta.dirname, '..', '..', 'build', 'throughline.bpf.o'),
    kernelRelease: release(),
    architecture: arch(),
    processors: possibleProcessors(),
    agentPid: process.pid,
    ...changes,
  });
}
