import type { EventHeader } from '../model/event.ts';

/** bpf/abi.h: ORIGIN_MADE. */
const TICK_NS = 1024;
const TICKS = 2 ** 32;

/** Which task made another one, and when. */
export interface Maker {
  readonly unit: number;
  readonly madeNs: number;
}

/** Who made the task that an event is of, where that had no request. The time is right for tasks of an hour. */
export function makerOf({ stampOrigin, stampConnection, stampSequence, timeNs }: EventHeader): Maker | null {
  if (stampOrigin !== 'made') return null;
  const nowTicks = Math.floor(timeNs / TICK_NS);
  const ageTicks = (((nowTicks - stampSequence) % TICKS) + TICKS) % TICKS;
  return { unit: stampConnection, madeNs: (nowTicks - ageTicks) * TICK_NS };
}
