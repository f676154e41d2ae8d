import { closeSync, existsSync, openSync } from 'node:fs';
import { openExitEvent } from './exit-event.ts';
import type { Feature, FeatureName, Features } from './features.ts';
import { ATTACH_UPROBE_MULTI, type Native } from './libbpf.ts';

// enum bpf_map_type, bpf_prog_type and bpf_attach_type of include/uapi/linux/bpf.h.
const MAP_TYPE_ARRAY = 2;
const MAP_TYPE_RINGBUF = 27;
const PROGRAM_TYPE_KPROBE = 2;
const PROGRAM_TYPE_TRACING = 26;
const PROGRAM_TYPE_LSM = 29;
const ATTACH_RAW_TRACEPOINT = 23;
const ATTACH_FEXIT = 25;
const ATTACH_LSM = 27;
const FLAG_SLEEPABLE = 16;
const EPERM = 1;
const EBADF = 9;
const EACCES = 13;
const EINVAL = 22;
/** r0 = 0; exit */
const RETURN_ZERO = Buffer.from('b7000000000000009500000000000000', 'hex');
/** call bpf_get_attach_cookie (Linux 5.15); r0 = 0; exit */
const ASK_COOKIE = Buffer.concat([Buffer.from('85000000ae000000', 'hex'), RETURN_ZERO]);
const UPROBE_EVENTS = '/sys/bus/event_source/devices/uprobe/type';
const LEFT_OUT: Feature = { answer: 'unsupported', detail: 'left out' };
export const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/**
 * Asks the running kernel for every feature. Leaves nothing behind.
 * @param without features that are not to be used, though the kernel may have them
 * @param triesFunctions whether programs on the functions that open and connect are tried, too: that takes a tenth of a second
 */
export function probeFeatures(
  native: Native,
  triesFunctions = true,
  without: readonly FeatureName[] = [],
): Features {
  const steady = without.includes('steady-exits') ? LEFT_OUT : probeSteadyExits(native);
  const features: Features = {
    privilege: probeMap(native, MAP_TYPE_ARRAY, 4, 4, 1),
    btf: existsSync(KERNEL_BTF)
      ? { answer: 'supported', detail: KERNEL_BTF }
      : { answer: 'unsupported', detail: `${KERNEL_BTF} is missing` },
    'ring-buffer': probeMap(native, MAP_TYPE_RINGBUF, 0, 0, 4096),
    'raw-tracepoints': probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_RAW_TRACEPOINT, 'sys_exit'),
    'steady-exits': steady,
    // To close it takes 20 ms and more.
    'exit-event':
      steady.answer === 'unsupported'
        ? probeExitEvent(native)
        : { answer: 'inconclusive', detail: 'not tried: nobody needs it' },
    'patient-verifier': probeVerifier(native),
    uprobes: probeUprobes(native),
    'uprobe-multi': probeUprobeMulti(native),
    'io-uring': probeAttach(native, PROGRAM_TYPE_TRACING, ATTACH_RAW_TRACEPOINT, 'io_uring_submit_req'),
    'io-uring-sqe': probeOlderRings(native),
    ...probeFunctions(native, triesFunctions),
    lsm: probeAttach(native, PROGRAM_TYPE_LSM, ATTACH_LSM, 'file_open'),
  };
  native.takeLog();
  return { ...features, ...Object.fromEntries(without.map((name) => [name, LEFT_OUT] as const)) };
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
  const failed = whileAttached(native, programType, RETURN_ZERO, attachType, hook);
  return failed ?? { answer: 'supported', detail: `a program was attached to ${hook}` };
}

/**
 * Does something while a program is attached.
 * @returns why it could not be attached, or null
 */
function whileAttached(
  native: Native,
  programType: number,
  instructions: Buffer,
  attachType: number,
  hook: string,
  action: () => void = () => {},
): Feature | null {
  const typeId = native.findKernelTypeId(hook, attachType);
  if (typeId <= 0) return { answer: 'unsupported', detail: `the kernel has no hook ${hook}` };
  const program = native.loadProgram(programType, instructions, attachType, typeId);
  if (program < 0) return failure(-program, `loading a program for ${hook}`);
  const link = native.openRawTracepoint(program);
  native.close(program);
  if (link < 0) return failure(-link, `attaching to ${hook}`);
  action();
  native.close(link);
  return null;
}

/**
 * Whether programs on the raw tracepoint at the end of system calls run with preemption off. Where the kernel takes programs that
 * may sleep there, as of Linux 7, it runs all with preemption on.
 */
function probeSteadyExits(native: Native): Feature {
  const typeId = native.findKernelTypeId('sys_exit', ATTACH_RAW_TRACEPOINT);
  if (typeId <= 0) return { answer: 'inconclusive', detail: 'the kernel has no hook sys_exit' };
  const program = native.loadProgram(
    PROGRAM_TYPE_TRACING,
    RETURN_ZERO,
    ATTACH_RAW_TRACEPOINT,
    typeId,
    FLAG_SLEEPABLE,
  );
  if (program >= 0) {
    native.close(program);
    return {
      answer: 'unsupported',
      detail: 'the kernel takes programs that sleep there, so others may be interrupted',
    };
  }
  return program === -EINVAL
    ? { answer: 'supported', detail: 'the kernel takes no program there that sleeps' }
    : { ...failure(-program, 'loading a program that sleeps'), answer: 'inconclusive' };
}

/**
 * How far a verifier gets before it has had enough is told by no sign of its own. Linux 6.1 has enough after 727,000 instructions
 * of exit_transfer, 6.12 takes them in its stride; bpf_iter_bits_new came with 6.11.
 */
function probeVerifier(native: Native): Feature {
  const sign = 'bpf_iter_bits_new';
  return native.findKernelTypeId(sign, ATTACH_FEXIT) > 0
    ? { answer: 'supported', detail: `the kernel has ${sign}, and with it such a verifier` }
    : { answer: 'unsupported', detail: `the kernel has no ${sign}` };
}

function probeExitEvent(native: Native): Feature {
  const event = openExitEvent(native);
  if (typeof event === 'string') return { answer: 'unsupported', detail: event };
  native.close(event);
  return { answer: 'supported', detail: 'it was opened' };
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

type FunctionFeature = 'trampolines' | 'open-function' | 'open-function-filp' | 'socket-functions';

/** The kernel's functions on which bpf/sensors/trampoline.bpf.c puts programs. */
function probeFunctions(native: Native, areTried: boolean): Pick<Features, FunctionFeature> {
  const trampolines = probeCalled(native, ['security_file_open'], openFile);
  const on = (functions: readonly string[], exercise: () => void): Feature => {
    if (trampolines.answer !== 'supported') return { ...trampolines, detail: 'there are no trampolines' };
    if (!areTried) return { answer: 'inconclusive', detail: 'not tried: nobody asks for it' };
    return probeCalled(native, functions, exercise);
  };
  const opens = (name: string): Feature => {
    const opening = on([name], openFile);
    // Called for file handles alone, which take a file system that has them.
    return opening.answer === 'supported'
      ? (whileAttached(native, PROGRAM_TYPE_TRACING, RETURN_ZERO, ATTACH_FEXIT, 'do_file_open_root') ??
          opening)
      : opening;
  };
  return {
    trampolines,
    'open-function': opens('do_file_open'),
    'open-function-filp': opens('do_filp_open'),
    'socket-functions': on(['__sys_connect_file', 'do_accept'], () => native.trySocketCalls()),
  };
}

function openFile(): void {
  try {
    closeSync(openSync('/dev/null', 'r'));
  } catch {
    // Then nothing is found to be called, which says so.
  }
}

/**
 * Whether programs on functions of the kernel are called. That a program can be attached does not say it: the function may have
 * been inlined where it is used.
 * @param exercise does something in which all of them have to be called
 */
function probeCalled(native: Native, functions: readonly string[], exercise: () => void): Feature {
  for (const name of functions) {
    const mark = native.createMap(MAP_TYPE_ARRAY, 4, 4, 1, 0);
    if (mark < 0) return failure(-mark, 'creating a map');
    try {
      const failed = whileAttached(
        native,
        PROGRAM_TYPE_TRACING,
        markAsCalled(mark),
        ATTACH_FEXIT,
        name,
        exercise,
      );
      if (failed !== null) return failed;
      const value = Buffer.alloc(4);
      native.lookupElement(mark, Buffer.alloc(4), value);
      if (value.readUInt32LE() !== 1)
        return { answer: 'unsupported', detail: `a program was attached to ${name}, but not called` };
    } finally {
      native.close(mark);
    }
  }
  return { answer: 'supported', detail: `programs on ${functions.join(' and ')} were called` };
}

/**
 * A program that writes 1 to the map's first element, with what programs on functions need: an exchange (Linux 5.12) and
 * bpf_task_pt_regs (5.15). r1 = address of the element; r2 = 1; xchg32(r1, r2); call bpf_get_current_task_btf; r1 = r0;
 * call bpf_task_pt_regs; r0 = 0; exit
 */
function markAsCalled(map: number): Buffer {
  const address = Buffer.from('18210000000000000000000000000000', 'hex');
  address.writeInt32LE(map, 4);
  const exchange = Buffer.from('b702000001000000c3210000e1000000', 'hex');
  const registers = Buffer.from('850000009e000000bf0100000000000085000000af000000', 'hex');
  return Buffer.concat([address, exchange, registers, RETURN_ZERO]);
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
