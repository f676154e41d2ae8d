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
