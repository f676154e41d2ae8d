/**
 * Every error that a user can meet, in one place: code, message, what to do, exit code of the program.
 * docs/reference/errors.md is generated from this table.
 */
export const ERRORS = {
  TL1001: {
    message: 'not enough privilege to load BPF programs',
    hint: 'run as root (sudo), or give the process CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE',
    exitCode: 77,
  },
  TL1002: {
    message: 'this kernel has no BTF type information',
    hint: 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 11 and newer have it); /sys/kernel/btf/vmlinux must be readable',
    exitCode: 78,
  },
  TL1003: {
    message: 'this kernel is too old',
    hint: 'Linux 5.12 or newer is needed, 5.18 on arm64; Debian 12 and newer have it',
    exitCode: 78,
  },
  TL1004: {
    message: 'libbpf was not found',
    hint: 'install it: apt-get install libbpf1 (Debian, Ubuntu) or the package libbpf (others); version 0.8 or newer',
    exitCode: 78,
  },
  TL1005: { message: 'the BPF object file was not found', hint: 'build it: make build', exitCode: 78 },
  TL1006: {
    message: 'the BPF object does not match this agent',
    hint: 'rebuild both: make gen build',
    exitCode: 78,
  },
  TL1007: {
    message: 'the kernel refused a BPF program',
    hint: 'run "throughline doctor" and report its output; the verifier\'s last lines are shown above',
    exitCode: 70,
  },
  TL1008: {
    message: 'a BPF program could not be attached',
    hint: 'run "throughline doctor" to see what this kernel supports',
    exitCode: 70,
  },
  TL1009: {
    message: 'this processor architecture is not supported',
    hint: 'x86-64 and arm64 are',
    exitCode: 78,
  },
  TL2001: { message: 'cannot read the recording', hint: 'check the path and its permissions', exitCode: 66 },
  TL2002: {
    message: 'this file is no Throughline recording',
    hint: 'make one with: throughline record -o FILE',
    exitCode: 65,
  },
  TL2003: {
    message: 'the recording was made by an incompatible version',
    hint: 'replay it with the version that its header names',
    exitCode: 65,
  },
  TL2004: {
    message: 'cannot write the recording',
    hint: 'check the directory, its permissions and free space; what was recorded so far can be replayed',
    exitCode: 73,
  },
  TL2005: {
    message: 'the recording ends in the middle of an entry',
    hint: 'everything before the cut was replayed',
    exitCode: 0,
  },
  TL3001: { message: 'unknown command or option', hint: 'see: throughline --help', exitCode: 64 },
  TL3002: {
    message: 'an option has a wrong or missing value',
    hint: 'see: throughline COMMAND --help',
    exitCode: 64,
  },
  TL4001: {
    message: 'cannot read the rule file',
    hint: 'check the path and its permissions; rule files are regular files of at most 16 MiB',
    exitCode: 66,
  },
  TL4002: {
    message: 'the rules have errors',
    hint: 'see them all with: throughline rules check FILE',
    exitCode: 65,
  },
  TL4003: {
    message: 'there is no such rule',
    hint: 'see their names with: throughline rules list FILE',
    exitCode: 65,
  },
  TL4010: {
    message: 'cannot write the rule file',
    hint: 'check the directory, its permissions and free space',
    exitCode: 73,
  },
  TL9001: {
    message: 'internal error',
    hint: 'this is a bug in Throughline: please report it with the lines above',
    exitCode: 70,
  },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** An error for the user: prints as one line, with what to do on the next. */
export class ThroughlineError extends Error {
  readonly code: ErrorCode;
  /** What exactly, for this occurrence: a path, a kernel message. '' for none. */
  readonly detail: string;

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    super(detail === '' ? ERRORS[code].message : `${ERRORS[code].message}: ${detail}`, options);
    this.name = 'ThroughlineError';
    this.code = code;
    this.detail = detail;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}
