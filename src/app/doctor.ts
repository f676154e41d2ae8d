import { arch } from 'node:os';
import { join } from 'node:path';
import { ERRORS, ThroughlineError } from '../base/errors.ts';
import type { DoctorReport } from '../cli/contract.ts';
import {
  FEATURE_TITLES,
  featuresLeftOut,
  WITHOUT_VARIABLE,
  type FeatureName,
  type Features,
} from '../kernel/features.ts';
import { native, type Native } from '../kernel/libbpf.ts';
import { loadSensors } from '../kernel/loader.ts';
import { possibleProcessors } from '../kernel/processors.ts';
import {
  DISPATCHER,
  PLAN_VARIABLE,
  planAskedFor,
  planSensors,
  type Plan,
  type PlannedSensor,
} from '../kernel/plan.ts';
import { probeFeatures } from '../kernel/probe.ts';
import { hierarchyName, type CgroupHierarchy } from '../model/cgroup-hierarchy.ts';
import { chooseHierarchy } from './cgroup-choice.ts';

/** All of the report but what is asked of others. */
export type HostReport = Omit<DoctorReport, 'containerRuntimes' | 'agents'>;

/** Looks at the host and attaches everything for a moment. A failure is a problem in the report, never an exception. */
export function examineHost(root: string, version: string, kernel: string): HostReport {
  const problems: { code: string; message: string; hint: string }[] = [];
  const attempt = <Value>(action: () => Value): Value | null => {
    try {
      return action();
    } catch (error) {
      problems.push(problemOf(error));
      return null;
    }
  };
  const library = attempt(native);
  const asked = attempt(() => planAskedFor(process.env[PLAN_VARIABLE]));
  const cgroups = attempt(() => chooseHierarchy());
  const without = attempt(() => featuresLeftOut(process.env[WITHOUT_VARIABLE])) ?? [];
  const features = library === null ? null : attempt(() => probeFeatures(library, true, without));
  const counters =
    library === null ? null : attempt(() => tryAttaching(library, root, kernel, asked, cgroups, without));
  const { EVENTS: _events, MAX: _max, ...losses } = counters ?? { EVENTS: 0, MAX: 0 };
  return {
    kind: 'doctor',
    version,
    node: process.version,
    libbpf: library?.libbpfVersion ?? null,
    kernel,
    architecture: arch(),
    ok: problems.length === 0,
    features: features === null ? [] : featureRows(features),
    plan: features === null ? [] : planSensors(features, asked).map(planRow),
    cgroups: cgroups === null ? null : { hierarchy: hierarchyName(cgroups), reason: cgroups.reason },
    losses: Object.fromEntries(
      Object.entries(losses).map(([name, count]) => [name.toLowerCase().replaceAll('_', '-'), count]),
    ),
    problems,
  };
}

function tryAttaching(
  library: Native,
  root: string,
  kernel: string,
  askedPlan: Plan | null,
  cgroups: CgroupHierarchy | null,
  without: readonly FeatureName[],
) {
  using sensors = loadSensors(library, {
    objectPath: join(root, 'build/throughline.bpf.o'),
    kernelRelease: kernel,
    architecture: arch(),
    processors: possibleProcessors(),
    agentPid: process.pid,
    askedPlan,
    ...(cgroups === null ? {} : { cgroups }),
    without,
  });
  return { ...sensors.counters(), PROGRAM_RUNS_LEFT_OUT: sensors.runsLeftOut() };
}

function problemOf(error: unknown): { code: string; message: string; hint: string } {
  const known = error instanceof ThroughlineError ? error : new ThroughlineError('TL9001', String(error));
  return { code: known.code, message: known.message, hint: ERRORS[known.code].hint };
}

function featureRows(features: Features): DoctorReport['features'] {
  return (Object.keys(FEATURE_TITLES) as FeatureName[]).map((name) => ({
    name: FEATURE_TITLES[name],
    answer: features[name].answer,
    detail: features[name].detail,
  }));
}

function planRow({ sensor, chosen, reason }: PlannedSensor): DoctorReport['plan'][number] {
  if (chosen === null) return { sensor: sensor.name, chosen: null, reason, weaker: '', attachments: [] };
  return {
    sensor: sensor.name,
    chosen: chosen.name,
    reason,
    weaker: chosen.weaker,
    attachments: [
      ...chosen.programs,
      ...(chosen.libraryProbes ?? []),
      ...Object.entries(chosen.syscallExits).map(
        ([program, syscalls]) => `${DISPATCHER} -> ${program}: ${syscalls.join(', ')}`,
      ),
    ],
  };
}
