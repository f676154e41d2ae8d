import type { Process } from '../model/process.ts';

/** As many as the table of processes follows. */
const MAX_ANCESTORS = 32;

/** A process and its ancestors as they are now: a spread would leave out what they have as accessors. */
export function stillProcess(process: Process, depth = 0): Process {
  const {
    userName,
    loginName = null,
    homeDirectory = null,
    loginShell = null,
    groupName = null,
    containerId,
    container,
    podUid,
    serviceUnit,
    parentPid,
    parent,
  } = process;
  const ancestor = parent === null || depth >= MAX_ANCESTORS ? null : stillProcess(parent, depth + 1);
  return {
    ...process,
    userName,
    loginName,
    homeDirectory,
    loginShell,
    groupName,
    containerId,
    container,
    podUid,
    serviceUnit,
    parentPid,
    parent: ancestor,
  };
}
