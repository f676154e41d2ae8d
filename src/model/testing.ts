import type { EventHeader } from './event.ts';

/** Header of an event of a process with this id, by its main thread, which serves nothing. */
export function makeHeader(pid = 1, timeNs = 1): EventHeader {
  return {
    timeNs,
    pid,
    tid: pid,
    unit: pid,
    startTicks: 1,
    cgroupId: 1,
    cpu: 0,
    stampConnection: 0,
    stampSequence: 0,
    stampOrigin: 'none',
    readyCount: 0,
    isTruncated: false,
  };
}
