/**
 * The layouts that events have had, and how those of an older one become today's. Pure, bounded, never throws.
 *
 * Structures only ever grow at their end, the header that they begin with, too; so an older layout is told by its sizes,
 * and what it did not have is nought. A layout is named by its fingerprint, which stands in the header of a recording.
 */

import {
  ACCEPT_EVENT,
  ACTION_EVENT,
  CGROUP_EVENT,
  CLOSE_EVENT,
  CONNECT_EVENT,
  DATAGRAM_EVENT,
  EVENT_HEADER,
  EVENT_KIND,
  EXEC_EVENT,
  EXIT_EVENT,
  FORK_EVENT,
  OPEN_EVENT,
  PAYLOAD_EVENT,
  TCP_EVENT,
  WORK_EVENT,
} from './abi.gen.ts';

export type KindName = keyof typeof EVENT_KIND;

/** One layout: bytes of the header, and of the fixed part of each kind of event, the header included. */
export interface Layout {
  /** ABI_VERSION of bpf/abi.h, as each of its events has it. */
  readonly version: number;
  readonly header: number;
  /** Kinds that it did not have are missing. */
  readonly fixed: Readonly<Partial<Record<KindName, number>>>;
}

/** The layout of abi.gen.ts. */
export const TODAY: Layout = {
  version: 2,
  header: EVENT_HEADER.SIZE,
  fixed: {
    EXEC: EXEC_EVENT.SIZE,
    FORK: FORK_EVENT.SIZE,
    EXIT: EXIT_EVENT.SIZE,
    ACCEPT: ACCEPT_EVENT.SIZE,
    CONNECT: CONNECT_EVENT.SIZE,
    CLOSE: CLOSE_EVENT.SIZE,
    PAYLOAD: PAYLOAD_EVENT.SIZE,
    OPEN: OPEN_EVENT.SIZE,
    WORK: WORK_EVENT.SIZE,
    ACTION: ACTION_EVENT.SIZE,
    CGROUP: CGROUP_EVENT.SIZE,
    DATAGRAM: DATAGRAM_EVENT.SIZE,
    TCP: TCP_EVENT.SIZE,
  },
};

const FIRST: Layout = {
  version: 1,
  header: 56,
  fixed: { EXEC: 128, FORK: 72, EXIT: 64, ACCEPT: 216, CONNECT: 192, CLOSE: 80, PAYLOAD: 88, OPEN: 88 },
};
const WITH_WORK: Layout = { ...FIRST, fixed: { ...FIRST.fixed, WORK: 72 } };
const WITH_UNITS: Layout = {
  version: 2,
  header: 64,
  fixed: {
    EXEC: 136,
    FORK: 80,
    EXIT: 72,
    ACCEPT: 224,
    CONNECT: 200,
    CLOSE: 88,
    PAYLOAD: 96,
    OPEN: 96,
    WORK: 80,
  },
};
/** accept tells what joins the two ends of a connection within the host. */
const WITH_HOPS: Layout = { ...WITH_UNITS, fixed: { ...WITH_UNITS.fixed, ACCEPT: 248 } };

const WITH_ACTIONS: Layout = { ...WITH_HOPS, fixed: { ...WITH_HOPS.fixed, ACTION: 152 } };
const WITH_CGROUPS: Layout = { ...WITH_ACTIONS, fixed: { ...WITH_ACTIONS.fixed, CGROUP: 80 } };
const WITH_REMOTES: Layout = { ...WITH_CGROUPS, fixed: { ...WITH_CGROUPS.fixed, DATAGRAM: 200, TCP: 152 } };
/** Descriptors, and the local end of connections that are made. */
const WITH_DESCRIPTORS: Layout = {
  ...WITH_REMOTES,
  fixed: { ...WITH_REMOTES.fixed, ACCEPT: 256, CONNECT: 224 },
};

/**
 * Every layout that recordings may have been made with. Whoever changes bpf/abi.h adds the new fingerprint (ABI_HASH) with
 * its sizes; what stands here is never changed.
 */
export const LAYOUTS: ReadonlyMap<string, Layout> = new Map([
  ['bd4f4998fd500a7e', FIRST],
  ['2926ac6d185c15d3', FIRST],
  ['82b0c2b0a1fa22d4', WITH_WORK],
  ['382869a14314befe', { ...WITH_WORK, fixed: { ...WITH_WORK.fixed, ACCEPT: 240 } }],
  ['3e6a261e67790cf8', WITH_WORK],
  ['1b0d3eec3847612e', WITH_UNITS],
  ['55971125fd103a6d', WITH_UNITS],
  ['713739adcbff25cd', WITH_UNITS],
  ['f33b042fd4818f57', WITH_HOPS],
  ['1be881cab47f5675', WITH_HOPS],
  ['6e81089b3d96f1c3', WITH_ACTIONS],
  ['ee0df1a2a3fe0fc0', WITH_CGROUPS],
  ['c1b818a725a169f1', WITH_CGROUPS],
  // exec has a section of details.
  ['e285f42df8d13990', WITH_CGROUPS],
  // Losses are counted by cgroup, which no event shows.
  ['8eabc9fda0ca1d9a', WITH_CGROUPS],
  // One more flag of events.
  ['8be84d2287e69383', WITH_CGROUPS],
  ['986c3106f2853934', WITH_REMOTES],
  ['ce1639638b776aab', WITH_DESCRIPTORS],
  // exec may have a section of its environment.
  ['9fd081eb17b9fcde', WITH_REMOTES],
  // Both.
  ['8ab86ae24a2dd79b', WITH_DESCRIPTORS],
  // Losses are counted by class, too, which no event shows.
  ['50d8261ded51acd2', WITH_DESCRIPTORS],
]);

const KIND_NAMES = new Map(Object.entries(EVENT_KIND).map(([name, value]) => [value as number, name]));

/** Whether events of this layout are read as they are: it lacks nothing but kinds, names and sections. */
export function isCurrent(layout: Layout): boolean {
  return (
    layout.version === TODAY.version &&
    layout.header === TODAY.header &&
    Object.entries(layout.fixed).every(([name, size]) => TODAY.fixed[name as KindName] === size)
  );
}

/** Brings events of an older layout into today's. */
export class EventUpgrade {
  /** Where the last event that was upgraded stands, from its beginning. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #layout: Layout;

  /** @param limitBytes size of the largest event */
  constructor(layout: Layout, limitBytes: number) {
    this.#layout = layout;
    const growth = Math.max(...Object.values(TODAY.fixed));
    this.bytes = new Uint8Array(limitBytes + growth);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * Upgrades the event at `offset`. What is none of the layout is copied as it is: the decoder will count it.
   * @returns its size now
   */
  apply(bytes: Uint8Array, offset: number, size: number): number {
    const event = bytes.subarray(offset, offset + Math.min(size, this.bytes.length));
    const before = this.#fixedSizeOf(event);
    const after = TODAY.fixed[this.#kindOf(event)] ?? 0;
    if (before === 0 || before > after || event.length + after - before > this.bytes.length) {
      this.bytes.set(event);
      return event.length;
    }
    const { header } = this.#layout;
    const growth = TODAY.header - header;
    this.bytes.fill(0, 0, after);
    this.bytes.set(event.subarray(0, header));
    this.bytes.set(event.subarray(header, before), header + growth);
    this.bytes.set(event.subarray(before), after);
    const total = event.length + after - before;
    this.view.setUint32(EVENT_HEADER.size, total, true);
    this.view.setUint8(EVENT_HEADER.version, TODAY.version);
    // Before there were goroutines and tasks, threads were all that executes.
    if (header <= EVENT_HEADER.unit)
      this.view.setUint32(EVENT_HEADER.unit, this.view.getUint32(EVENT_HEADER.tid, true), true);
    return total;
  }

  /** 0 for what is no whole event of the layout. */
  #fixedSizeOf(event: Uint8Array): number {
    if (event.length < this.#layout.header || event[EVENT_HEADER.version] !== this.#layout.version) return 0;
    const fixed = this.#layout.fixed[this.#kindOf(event)] ?? 0;
    return event.length < fixed ? 0 : fixed;
  }

  #kindOf(event: Uint8Array): KindName {
    const kind = (event[EVENT_HEADER.kind] ?? 0) | ((event[EVENT_HEADER.kind + 1] ?? 0) << 8);
    return KIND_NAMES.get(kind) as KindName;
  }
}
