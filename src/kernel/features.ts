import { ThroughlineError } from '../base/errors.ts';

/**
 * What a kernel can do, found out by doing: the smallest program is loaded and attached. Three answers, since "no" and
 * "could not find out" lead to different advice.
 */
export type Answer = 'supported' | 'unsupported' | 'inconclusive';

export interface Feature {
  readonly answer: Answer;
  /** Why: the error, or what was seen. */
  readonly detail: string;
}

export type FeatureName =
  | 'privilege'
  | 'btf'
  | 'ring-buffer'
  | 'raw-tracepoints'
  | 'steady-exits'
  | 'exit-event'
  | 'patient-verifier'
  | 'uprobes'
  | 'uprobe-multi'
  | 'io-uring'
  | 'io-uring-sqe'
  | 'trampolines'
  | 'open-function'
  | 'open-function-filp'
  | 'socket-functions'
  | 'lsm';

export const FEATURE_TITLES: Readonly<Record<FeatureName, string>> = {
  privilege: 'privilege to load BPF programs',
  btf: 'type information of the kernel (BTF)',
  'ring-buffer': 'BPF ring buffer',
  'raw-tracepoints': 'typed raw tracepoints (tp_btf)',
  'steady-exits': 'those at the end of system calls run without interruption',
  'exit-event': 'a perf event there, for kernels where they do not',
  'patient-verifier': 'a verifier that is quickly done with big programs, since Linux 6.11',
  uprobes: 'probes in programs and libraries (uprobes)',
  'uprobe-multi': 'many such probes at once (uprobe_multi)',
  'io-uring': 'requests of io_uring, since Linux 6.3',
  'io-uring-sqe': 'requests of io_uring, in Linux 6.1 and 6.2',
  trampolines: 'trampolines (fentry, fexit)',
  'open-function': 'those on do_file_open, which opens files',
  'open-function-filp': 'those on do_filp_open, as it was called before',
  'socket-functions': 'those on the functions that connect and accept',
  lsm: 'BPF security module (lsm)',
};

export type Features = Readonly<Record<FeatureName, Feature>>;

/** In the environment: features that are not used though the kernel has them, with commas between. */
export const WITHOUT_VARIABLE = 'THROUGHLINE_WITHOUT';

/**
 * What the environment wants to do without.
 * @param text of WITHOUT_VARIABLE; '' or undefined: nothing
 * @throws ThroughlineError TL3002 for a feature that there is not
 */
export function featuresLeftOut(text: string | undefined): FeatureName[] {
  const names = (text ?? '').split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(FEATURE_TITLES, name));
  if (unknown !== undefined)
    throw new ThroughlineError(
      'TL3002',
      `${WITHOUT_VARIABLE} is ${unknown}, which is none of ${Object.keys(FEATURE_TITLES).join(', ')}`,
    );
  return names as FeatureName[];
}
