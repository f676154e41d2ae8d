import { readdirSync } from 'node:fs';
import { ThroughlineError } from '../base/errors.ts';
import { mountedV1, pathInHierarchy, unifiedMounts } from '../capture/facts/cgroup-mounts.ts';
import { readProcFile } from '../capture/facts/proc-files.ts';
import { UNIFIED, type CgroupHierarchy } from '../model/cgroup-hierarchy.ts';
import { parseCgroupPaths } from '../world/cgroup-path.ts';

/** In the environment: v1 or v2, where otherwise it is the one that tells containers on this host. */
export const CGROUPS_VARIABLE = 'THROUGHLINE_CGROUPS';

/**
 * The hierarchy of cgroups whose ids events carry. The unified one, unless it is mounted nowhere, or containers are there that are in
 * none of its cgroups: engines on hosts that have both used to leave it alone.
 *
 * @param asked v1 or v2; undefined: whichever is right
 * @throws ThroughlineError TL3002 for what is not there, and for anything else
 */
export function chooseHierarchy(procRoot = '/proc', asked = process.env[CGROUPS_VARIABLE]): CgroupHierarchy {
  const [first] = mountedV1(procRoot);
  switch (asked) {
    case undefined:
    case '':
      break;
    case 'v1':
      if (first === undefined)
        throw new ThroughlineError('TL3002', `${CGROUPS_VARIABLE} is v1, of which none is mounted`);
      return { ...first, reason: `${CGROUPS_VARIABLE} asks for it` };
    case 'v2':
      return { ...UNIFIED, reason: `${CGROUPS_VARIABLE} asks for it` };
    default:
      throw new ThroughlineError('TL3002', `${CGROUPS_VARIABLE} is ${asked}, which is none of v1, v2`);
  }
  if (first === undefined) return { ...UNIFIED, reason: 'none of version 1 is mounted' };
  if (unifiedMounts(procRoot).length === 0) return { ...first, reason: 'the unified one is mounted nowhere' };
  if (hasContainersIn(first, procRoot) && !hasContainersIn(UNIFIED, procRoot))
    return { ...first, reason: 'containers that run are in no cgroup of the unified one' };
  return { ...UNIFIED, reason: 'it is mounted, beside those of version 1' };
}

function hasContainersIn(hierarchy: CgroupHierarchy, procRoot: string): boolean {
  return readdirSync(procRoot).some((name) => {
    if (!/^[1-9][0-9]*$/.test(name)) return false;
    const path = pathInHierarchy(readProcFile(`${procRoot}/${name}/cgroup`) ?? '', hierarchy);
    return path !== null && parseCgroupPaths([path]).containerId !== null;
  });
}
