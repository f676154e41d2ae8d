import type { Native, Pointer } from '../libbpf.ts';
import { MARKS } from '../marks.ts';
import type { UnitKind } from '../runtimes/unit-layout.ts';
import type { Purpose } from './libraries.ts';
import type { ProbeHost } from './library-probes.ts';
import { ProbeLinks } from './probe-links.ts';

/** bpf/lib/function.h: PROBE_SLOTS and the rows of probe_hits; bpf/lib/tls.h: TLS_LISTENERS. */
const SLOTS = 64;
const LISTENERS = 64;
const HIT_ROW_BYTES = SLOTS * 4;

export interface KernelSide {
  readonly native: Native;
  /** Processors that have a row of counters. */
  readonly processors: number;
  /** Variables of the programs, memory-mapped. */
  readonly variables: DataView;
  offsetOf(variable: string): number;
  programOf(name: string): Pointer;
  /** The programs were loaded for links with many probes. */
  readonly isMulti: boolean;
  readonly purposes: ReadonlySet<Purpose>;
  /** The map of processes whose units are no threads. */
  readonly runtimesFd: number;
}

/** struct runtime and enum runtime_kind of bpf/lib/unit.h. */
const RUNTIME_BYTES = 56;
const RUNTIME_KINDS: Readonly<Record<UnitKind, number>> = { go: 1, python: 2 };

/** Attaches the loaded programs for functions of libraries, and reads what they share with user space. */
export function kernelProbes(kernel: KernelSide): ProbeHost {
  const { native, processors, variables } = kernel;
  const active = kernel.offsetOf('tls_attached');
  const hits = kernel.offsetOf('probe_hits');
  const listeners = kernel.offsetOf('tls_listeners');
  const listenerCount = kernel.offsetOf('tls_listener_count');
  const maybeRuntimes = kernel.offsetOf('maybe_runtimes');
  const givenUp = kernel.offsetOf('runtime_given_up');
  const links = new ProbeLinks(native, (name) => kernel.programOf(name), kernel.isMulti);
  let taken = variables.getUint32(listenerCount, true);
  return {
    purposes: kernel.purposes,
    slots: SLOTS,
    attach: (path, slot, probes) => links.attach(path, slot, probes),
    settle: () => links.settle(),
    setRuntime(pid, startTicks, { kind, threadOffset, memberOffset, readsOutside, makers }) {
      const key = Buffer.alloc(4);
      key.writeUInt32LE(pid);
      const value = Buffer.alloc(RUNTIME_BYTES);
      value.writeBigUInt64LE(BigInt(startTicks), 0);
      value.writeInt32LE(threadOffset, 8);
      value.writeUInt32LE(memberOffset, 12);
      value.writeUInt32LE(RUNTIME_KINDS[kind], 16);
      value.writeUInt32LE(readsOutside === true ? 1 : 0, 20);
      if (makers !== undefined) {
        value.writeUInt32LE(makers.parentOffset, 28);
        value.writeBigUInt64LE(BigInt(makers.processors), 32);
        value.writeBigUInt64LE(BigInt(makers.taken), 40);
        value.writeUInt32LE(makers.cacheOffset, 48);
      }
      native.updateElement(kernel.runtimesFd, key, value, 0n);
      variables.setUint8(maybeRuntimes + (pid % MARKS), 1);
    },
    giveUp: (kind) => variables.setUint32(givenUp, RUNTIME_KINDS[kind], true),
    setActive: (isActive) => variables.setUint32(active, isActive ? 1 : 0, true),
    hits(slot) {
      let sum = 0;
      for (let cpu = 0; cpu < processors; cpu++)
        sum += variables.getUint32(hits + cpu * HIT_ROW_BYTES + slot * 4, true);
      return sum >>> 0;
    },
    takeListeners() {
      const count = variables.getUint32(listenerCount, true);
      if (count === taken) return [];
      const fresh = Math.min((count - taken) >>> 0, LISTENERS);
      taken = count;
      const pids = new Set<number>();
      for (let back = 1; back <= fresh; back++)
        pids.add(variables.getUint32(listeners + (((count - back) >>> 0) % LISTENERS) * 4, true));
      return [...pids];
    },
  };
}
