import type { EventHeader } from './event.ts';
import type { ExecDetails } from './exec-details.ts';

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

/** Details of an ordinary program, root's own, without a terminal. */
export function makeDetails(changes: Partial<ExecDetails> = {}): ExecDetails {
  return {
    mode: 0o100755,
    ownerUid: 0,
    ownerGid: 0,
    linkCount: 1,
    changeTimeMs: 1_700_000_000_250,
    modificationTimeMs: 1_600_000_000_125,
    fileSystem: 0xef53,
    isUpperLayer: false,
    isMemoryFile: false,
    interpreter: null,
    savedUid: 0,
    savedGid: 0,
    loginUid: null,
    session: 1,
    processGroup: 1,
    terminal: null,
    capabilities: { effective: 0x1ff_ffff_ffff, permitted: 0x1ff_ffff_ffff, inheritable: 0 },
    hasNoNewPrivileges: false,
    seccompMode: 0,
    namespaces: { cgroup: 1, ipc: 2, mount: 3, network: 4, pid: 5, user: 6, uts: 7 },
    isStartedByKernel: false,
    ...changes,
  };
}
