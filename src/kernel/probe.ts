import { existsSync } from 'node:fs';
import type { Feature, Features } from './features.ts';
import { ATTACH_UPROBE_MULTI, type Native } from './libbpf.ts';

// enum bpf_map_type, bpf_prog_type and bpf_attach_type of include/uapi/linux/bpf.h.
const MAP_TYPE_ARRAY = 2;
const MAP_TYPE_RINGBUF = 27;
const PROGRAM_TYPE_KPROBE = 2;
const PROGRAM_TYPE_TRACING = 26;
const PROGRAM_TYPE_LSM = 29;
const ATTACH_RAW_TRACEPOINT = 23;
const ATTACH_FENTRY = 24;
const ATTACH_LSM = 27;
const EPERM = 1;
const EBADF = 9;
const EACCES = 13;
/** r0 = 0; exit */
const RETURN_ZERO = Buffer.from('b7000000000000009500000000000000', 'hex');
/** call bpf_get_attach_cookie (Linux 5.15); r0 = 0; exit */
const ASK_COOKIE = Buffer.concat([Buffer.from('85000000ae000000', 'hex'), RETURN_ZERO]);
const UPROBE_EVENTS = '/sys/bus/event_source/devices/uprobe/type';
export const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** Asks the running kernel for every feature. Leaves nothing behind. */
export function probeFeatures(native: Native): Features {
  const features: Features = {
    privilege: probeMap(native, MAP_TYPE_ARRAY, 4, 4, 1),
    btf: existsSync(KERNEL_BTF)
      ? { answer: 'supported', detail: KERNEL_BTF }
      : { answer: 'unsupported', detail: `${KERNEL_BTF} is missing` },
    'ring-buffer': probeMap(native, MAP_TYPE_RINGBUF, 0, 0, 4096),
    'raw-tracepoints': probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_RAW_TRACEPOINT, 'sys_exit'),
    uprobes: probeUprobes(native),
    'uprobe-multi': probeUprobeMulti(native),
    'io-uring': probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_RAW_TRACEPOINT, 'io_uring_submit_req'),
    'io-uring-sqe': probeOlderRings(native),
    trampolines: probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_FENTRY, 'security_file_open'),
    lsm: probeAttach(native, PROGRAM_TYPE_LSM, ATTACH_LSM, 'file_open'),
  };
  native.takeLog();
  return features;
}

function probeMap(
  native: Native,
  type: number,
  keySize: number,
  valueSize: number,
  entries: number,
): Feature {
  const fd = native.createMap(type, keySize, valueSize, entries, 0);
  if (fd < 0) return failure(-fd, 'creating a map');
  native.close(fd);
  return { answer: 'supported', detail: 'a map was created' };
}

function probeAttach(native: Native, programType: number, attachType: number, hook: string): Feature {
  const typeId = native.findKernelTypeId(hook, attachType);
  if (typeId <= 0) return { answer: 'unsupported', detail: `the kernel has no hook ${hook}` };
  const program = native.loadProgram(programType, RETURN_ZERO, attachType, typeId);
  if (program < 0) return failure(-program, `loading a program for ${hook}`);
  const link = native.openRawTracepoint(program);
  native.close(program);
  if (link < 0) return failure(-link, `attaching to ${hook}`);
  native.close(link);
  return { answer: 'supported', detail: `a program was attached to ${hook}` };
}

/**
 * Before Linux 6.3 the tracepoint has another name, and before 6.1 other arguments; io_uring_local_work_run came with those that
 * we know.
 */
function probeOlderRings(native: Native): Feature {
  if (native.findKernelTypeId('io_uring_local_work_run', ATTACH_RAW_TRACEPOINT) <= 0)
    return { answer: 'unsupported', detail: 'the kernel has no hook io_uring_local_work_run' };
  return probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_RAW_TRACEPOINT, 'io_uring_submit_sqe');
}

function probeUprobes(native: Native): Feature {
  if (!existsSync(UPROBE_EVENTS)) return { answer: 'unsupported', detail: `${UPROBE_EVENTS} is missing` };
  const program = native.loadProgram(PROGRAM_TYPE_KPROBE, ASK_COOKIE, 0, 0);
  if (program < 0) return failure(-program, 'loading a program for uprobes');
  native.close(program);
  return { answer: 'supported', detail: `${UPROBE_EVENTS}, and a program was loaded` };
}

/** A kernel that knows such links says that a directory is no file to probe; one that does not, that the call is invalid. */
function probeUprobeMulti(native: Native): Feature {
  const program = native.loadProgram(PROGRAM_TYPE_KPROBE, ASK_COOKIE, ATTACH_UPROBE_MULTI, 0);
  if (program < 0) return failure(-program, 'loading a program for uprobe_multi');
  const link = native.attachUprobes(program, false, '/', [0], 0);
  native.close(program);
  if (link === -EBADF) return { answer: 'supported', detail: 'the kernel asked for a file to probe' };
  if (link >= 0) native.close(link);
  return failure(-link, 'linking a program for uprobe_multi');
}

function failure(errno: number, doing: string): Feature {
  const denied = errno === EPERM || errno === EACCES;
  return {
    answer: denied ? 'inconclusive' : 'unsupported',
    detail: `${doing} failed with ${denied ? (errno === EPERM ? 'EPERM' : 'EACCES') : `errno ${errno}`}`,
  };
}
