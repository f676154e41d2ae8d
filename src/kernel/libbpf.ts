import koffi from 'koffi';
import { ThroughlineError } from '../base/errors.ts';
import { producerMappingBytes } from './ring.ts';

/** An address in native memory, as koffi hands it out. Never looked into here. */
export type Pointer = object | bigint;

/** The functions of libbpf and libc that we call. None is called for each event. */
export interface Native {
  readonly libbpfVersion: string;
  openObject(path: string): Pointer | null;
  loadObject(object: Pointer): number;
  closeObject(object: Pointer): void;
  findProgram(object: Pointer, name: string): Pointer | null;
  setAutoload(program: Pointer, on: boolean): number;
  /** Before the object is loaded. */
  setAttachType(program: Pointer, attachType: number): number;
  /** Likewise, of a program whose section tells libbpf no type: attach() does not know what to do with it. */
  setType(program: Pointer, type: number): number;
  /** Likewise: what in the kernel it is to be attached to. */
  setTarget(program: Pointer, name: string): number;
  programFd(program: Pointer): number;
  /** How often a loaded program was not run, since it, or another one, was interrupted on that processor; 0 before Linux 5.12. */
  runsLeftOut(programFd: number): number;
  attach(program: Pointer): Pointer | null;
  /** Attaches to a perf event, which goes with the link. */
  attachToEvent(program: Pointer, eventFd: number): Pointer | null;
  /**
   * Attaches to an instruction of a file, in every process that has it.
   * @param isReturn to the return from the function that begins there instead
   * @param cookie what the program can ask for, to know which attachment it runs for
   */
  attachUprobe(
    program: Pointer,
    isReturn: boolean,
    path: string,
    offset: number,
    cookie: number,
  ): Pointer | null;
  /**
   * Attaches to several instructions of a file with one link (Linux 6.6): all of them or none.
   * @param programFd of a program that was loaded for it (ATTACH_UPROBE_MULTI)
   * @returns the link's descriptor, or the negative errno
   */
  attachUprobes(
    programFd: number,
    isReturn: boolean,
    path: string,
    offsets: readonly number[],
    cookie: number,
  ): number;
  destroyLink(link: Pointer): number;
  /**
   * Takes a link off in a thread of its own; a number is the link's descriptor.
   * @returns what joinThread wants, or null where no thread can be started
   */
  detachInThread(link: Pointer | number): bigint | null;
  joinThread(thread: bigint): void;
  findMap(object: Pointer, name: string): Pointer | null;
  mapFd(map: Pointer): number;
  setMaxEntries(map: Pointer, count: number): number;
  /** What a section of variables begins with, to be written to before the object is loaded; null for a map that has none. */
  initialVariables(map: Pointer): DataView | null;
  /** Maps the global variables behind a section's map into memory, readable and writable. */
  mapVariables(fd: number, sizeBytes: number): ArrayBuffer;
  mapValueSize(map: Pointer): number;
  mapMaxEntries(map: Pointer): number;
  updateElement(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
  deleteElement(fd: number, key: Uint8Array): number;
  lookupElement(fd: number, key: Uint8Array, value: Uint8Array): number;
  findKernelTypeId(name: string, attachType: number): number;
  /** @param flags BPF_F_SLEEPABLE and the like */
  loadProgram(
    type: number,
    instructions: Uint8Array,
    attachType: number,
    attachTypeId: number,
    flags?: number,
  ): number;
  createMap(type: number, keySize: number, valueSize: number, maxEntries: number, flags: number): number;
  openRawTracepoint(programFd: number): number;
  /**
   * A tracefs that is mounted nowhere, until it is closed (Linux 5.2).
   * @returns a descriptor of its root, or the negative errno
   */
  openTracefs(): number;
  /**
   * A perf event of a tracepoint.
   * @param processor one that is online; programs that are attached run on all
   * @returns its descriptor, or the negative errno
   */
  openTracepointEvent(id: number, processor: number): number;
  /** Connects and accepts on a unix socket that has no name: both fail, and the kernel's functions for it were called. */
  trySocketCalls(): void;
  /** Gives memory that was freed back to the system. */
  trimHeap(): void;
  /** Lines that libbpf printed since the last call: the reasons for what failed. */
  takeLog(): string[];
  mapRing(fd: number, dataBytes: number): { consumer: ArrayBuffer; producer: ArrayBuffer };
  /**
   * A descriptor for wait(): it wakes when one of these does, not because there is something to read. A ring has nearly
   * always something under load, so that poll(2) would return at once each time.
   * @returns -1 when the system has none left, see errno()
   */
  openWaiter(fds: readonly number[]): number;
  /** Sleeps until the kernel side asks to be looked at, or the time is over. */
  wait(waiter: number, timeoutMs: number): void;
  /** The kernel measures how often and how long programs run, until this descriptor is closed. @returns a negative number without the right to */
  enableStatistics(): number;
  close(fd: number): number;
  errno(): number;
  /** Nanoseconds since boot, the clock of kernel events. */
  bootTimeNs(): number;
}

type Library = ReturnType<typeof koffi.load>;

const LIBBPF_NAMES = ['libbpf.so.1', 'libbpf.so.0', 'libbpf.so'];
const PAGE_BYTES = 4096;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
/** EPOLLIN | EPOLLET */
const EDGE_OF_INPUT = 0x80000001;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const MAX_WAKERS = 4;
const LOG_LINES = 400;
const ENOSYS = 38;
const CLOCK_BOOTTIME = 7;
/** bpf(2), which libbpf before 1.3 does not call for everything. */
const SYSCALL_BPF: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 321, arm64: 280 };
/** fsopen(2), fsconfig(2) and fsmount(2): on all architectures. */
const SYSCALL_FSOPEN = 430;
const SYSCALL_FSCONFIG = 431;
const SYSCALL_FSMOUNT = 432;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const SYSCALL_PERF_EVENT_OPEN: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 298,
  arm64: 241,
};
const PERF_TYPE_TRACEPOINT = 2;
/** PERF_ATTR_SIZE_VER0 */
const PERF_EVENT_ATTRIBUTE_BYTES = 64;
const PERF_FLAG_FD_CLOEXEC = 8;
const BPF_LINK_CREATE = 28;
/** enum bpf_stats_type */
const BPF_STATS_RUN_TIME = 0;
const BPF_F_UPROBE_MULTI_RETURN = 1;
/** BPF_TRACE_UPROBE_MULTI of enum bpf_attach_type. */
export const ATTACH_UPROBE_MULTI = 48;

/** union bpf_attr of BPF_LINK_CREATE, with its uprobe_multi (include/uapi/linux/bpf.h). */
const UPROBE_MULTI = koffi.struct({
  programFd: 'uint32_t',
  target: 'uint32_t',
  attachType: 'uint32_t',
  flags: 'uint32_t',
  path: 'const char *',
  offsets: 'const uint64_t *',
  counters: 'const uint64_t *',
  cookies: 'const uint64_t *',
  count: 'uint32_t',
  multiFlags: 'uint32_t',
  pid: 'uint32_t',
  padding: 'uint32_t',
});

/** struct bpf_prog_info up to its recursion_misses (include/uapi/linux/bpf.h): older kernels fill in less. */
const PROGRAM_INFO_BYTES = 216;
const RECURSION_MISSES = 208;

let loaded: Native | null = null;

/**
 * Loads libbpf and binds what we need of it; once for each thread.
 * @throws ThroughlineError TL1004 when there is no libbpf, or one that is too old
 */
export function native(): Native {
  loaded ??= bind();
  return loaded;
}

function openLibrary(): Library {
  for (const name of LIBBPF_NAMES) {
    try {
      return koffi.load(name);
    } catch {
      // The next name may be there.
    }
  }
  throw new ThroughlineError('TL1004', `none of ${LIBBPF_NAMES.join(', ')}`);
}

function bind(): Native {
  const bpf = openLibrary();
  const libc = koffi.load('libc.so.6');
  const log: string[] = [];
  try {
    captureLog(bpf, libc, log);
    return bindFunctions(bpf, libc, log);
  } catch (error) {
    throw new ThroughlineError('TL1004', error instanceof Error ? error.message : String(error));
  }
}

/** libbpf hands its messages to a callback with a va_list, which vsnprintf turns into text. */
function captureLog(bpf: Library, libc: Library, log: string[]): void {
  const printer = koffi.proto('int throughline_print(int level, const char *format, void *arguments)');
  const vsnprintf = libc.func(
    'int vsnprintf(_Out_ char *buffer, size_t size, const char *format, void *arguments)',
  );
  const setPrint = bpf.func('void *libbpf_set_print(throughline_print *callback)');
  const buffer = Buffer.alloc(64 * 1024);
  const callback = koffi.register((level: number, format: string, args: Pointer): number => {
    if (level > 1) return 0; // debugging output
    const length = Math.min(Number(vsnprintf(buffer, buffer.length, format, args)), buffer.length - 1);
    for (const line of buffer.toString('utf8', 0, Math.max(length, 0)).split('\n'))
      if (line.trim() !== '') log.push(line);
    if (log.length > LOG_LINES) log.splice(0, log.length - LOG_LINES);
    return 0;
  }, koffi.pointer(printer));
  setPrint(callback);
}

function bindFunctions(bpf: Library, libc: Library, log: string[]): Native {
  const f = {
    version: bpf.func('const char *libbpf_version_string()'),
    open: bpf.func('void *bpf_object__open_file(const char *path, void *options)'),
    load: bpf.func('int bpf_object__load(void *object)'),
    closeObject: bpf.func('void bpf_object__close(void *object)'),
    findProgram: bpf.func('void *bpf_object__find_program_by_name(void *object, const char *name)'),
    setAutoload: bpf.func('int bpf_program__set_autoload(void *program, bool on)'),
    setType: bpf.func('int bpf_program__set_type(void *program, int type)'),
    setTarget: bpf.func('int bpf_program__set_attach_target(void *program, int fd, const char *name)'),
    attachToEvent: bpf.func('void *bpf_program__attach_perf_event(void *program, int fd)'),
    initialValue: bpf.func('void *bpf_map__initial_value(void *map, _Out_ size_t *size)'),
    setAttachType: bpf.func('int bpf_program__set_expected_attach_type(void *program, int type)'),
    programFd: bpf.func('int bpf_program__fd(void *program)'),
    attach: bpf.func('void *bpf_program__attach(void *program)'),
    objectInfo: bpf.func('int bpf_obj_get_info_by_fd(int fd, void *info, uint32_t *size)'),
    attachUprobe: bpf.func(
      'void *bpf_program__attach_uprobe_opts(void *program, int pid, const char *path, size_t offset, void *options)',
    ),
    destroyLink: bpf.func('int bpf_link__destroy(void *link)'),
    findMap: bpf.func('void *bpf_object__find_map_by_name(void *object, const char *name)'),
    mapFd: bpf.func('int bpf_map__fd(void *map)'),
    setMaxEntries: bpf.func('int bpf_map__set_max_entries(void *map, uint32_t count)'),
    mapValueSize: bpf.func('uint32_t bpf_map__value_size(void *map)'),
    mapMaxEntries: bpf.func('uint32_t bpf_map__max_entries(void *map)'),
    update: bpf.func('int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)'),
    remove: bpf.func('int bpf_map_delete_elem(int fd, const void *key)'),
    lookup: bpf.func('int bpf_map_lookup_elem(int fd, const void *key, void *value)'),
    findTypeId: bpf.func('int libbpf_find_vmlinux_btf_id(const char *name, int attach_type)'),
    loadProgram: bpf.func(
      'int bpf_prog_load(int type, const char *name, const char *license, const void *instructions, size_t count, void *options)',
    ),
    createMap: bpf.func(
      'int bpf_map_create(int type, const char *name, uint32_t key_size, uint32_t value_size, uint32_t max_entries, void *options)',
    ),
    openRawTracepoint: bpf.func('int bpf_raw_tracepoint_open(const char *name, int fd)'),
    enableStatistics: bpf.func('int bpf_enable_stats(int type)'),
    bpf: libc.func('syscall', 'long', ['long', 'int', koffi.pointer(UPROBE_MULTI), 'uint32_t']),
    syscall5: libc.func('syscall', 'long', [
      'long',
      'intptr_t',
      'intptr_t',
      'intptr_t',
      'intptr_t',
      'intptr_t',
    ]),
    openFileSystem: libc.func('syscall', 'long', ['long', 'const char *', 'uint32_t']),
    openEvent: libc.func('syscall', 'long', ['long', 'const void *', 'int', 'int', 'int', 'unsigned long']),
    mmap: libc.func(
      'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
    ),
    epollCreate: libc.func('int epoll_create1(int flags)'),
    epollControl: libc.func('int epoll_ctl(int waiter, int operation, int fd, const void *event)'),
    epollWait: libc.func('int epoll_wait(int waiter, void *events, int count, int timeout)'),
    // Both take one word and are done when they return: that is what a thread begins with.
    destroyLinkAddress: bpf.symbol('bpf_link__destroy', 'void *'),
    closeAddress: libc.symbol('close', 'void *'),
    startThread: libc.func(
      'int pthread_create(_Out_ uint64_t *thread, void *attributes, void *start, void *argument)',
    ),
    joinThread: libc.func('int pthread_join(uint64_t thread, void *result)'),
    socket: libc.func('int socket(int family, int type, int protocol)'),
    connect: libc.func('int connect(int fd, const void *address, uint32_t size)'),
    accept: libc.func('int accept(int fd, void *address, void *size)'),
    close: libc.func('int close(int fd)'),
    trim: libc.func('int malloc_trim(size_t pad)'),
    clock: libc.func('int clock_gettime(int clock, void *time)'),
  };
  const timespec = Buffer.alloc(16);
  const programInfo = Buffer.alloc(PROGRAM_INFO_BYTES);
  const programInfoSize = Buffer.alloc(4);
  // struct epoll_event: 12 bytes on x86-64, 16 elsewhere.
  const epollEvents = Buffer.alloc(16 * MAX_WAKERS);

  function map(fd: number, length: number, protection: number, offset: number): ArrayBuffer {
    const address = f.mmap(null, length, protection, MAP_SHARED, fd, offset);
    if (BigInt.asIntN(64, BigInt(koffi.address(address))) === -1n)
      throw new ThroughlineError('TL1008', `mmap of a BPF map failed, errno ${koffi.errno()}`);
    return koffi.view(address, length);
  }

  return {
    libbpfVersion: String(f.version()),
    openObject: (path) => f.open(path, null),
    loadObject: (object) => f.load(object),
    closeObject: (object) => f.closeObject(object),
    findProgram: (object, name) => f.findProgram(object, name),
    setAutoload: (program, on) => f.setAutoload(program, on),
    setAttachType: (program, attachType) => f.setAttachType(program, attachType),
    setType: (program, type) => f.setType(program, type),
    setTarget: (program, name) => f.setTarget(program, 0, name),
    programFd: (program) => f.programFd(program),
    runsLeftOut(programFd) {
      // What is not nought asks for more: for the machine code, and so on.
      programInfo.fill(0);
      programInfoSize.writeUInt32LE(PROGRAM_INFO_BYTES);
      if (f.objectInfo(programFd, programInfo, programInfoSize) !== 0) return 0;
      return Number(programInfo.readBigUInt64LE(RECURSION_MISSES));
    },
    enableStatistics: () => f.enableStatistics(BPF_STATS_RUN_TIME),
    attach: (program) => f.attach(program),
    attachToEvent: (program, eventFd) => f.attachToEvent(program, eventFd),
    attachUprobe(program, isReturn, path, offset, cookie) {
      // struct bpf_uprobe_opts: size, ref_ctr_offset, bpf_cookie, retprobe; the rest zero.
      const options = Buffer.alloc(40);
      options.writeBigUInt64LE(40n, 0);
      options.writeBigUInt64LE(BigInt(cookie), 16);
      options.writeUInt8(isReturn ? 1 : 0, 24);
      return f.attachUprobe(program, -1, path, offset, options);
    },
    attachUprobes(programFd, isReturn, path, offsets, cookie) {
      const number = SYSCALL_BPF[process.arch];
      if (number === undefined) return -ENOSYS;
      const attributes = {
        programFd,
        target: 0,
        attachType: ATTACH_UPROBE_MULTI,
        flags: 0,
        path,
        offsets: BigUint64Array.from(offsets, BigInt),
        counters: null,
        cookies: BigUint64Array.from(offsets, () => BigInt(cookie)),
        count: offsets.length,
        multiFlags: isReturn ? BPF_F_UPROBE_MULTI_RETURN : 0,
        pid: 0,
        padding: 0,
      };
      const fd = Number(f.bpf(number, BPF_LINK_CREATE, attributes, koffi.sizeof(UPROBE_MULTI)));
      return fd < 0 ? -koffi.errno() : fd;
    },
    destroyLink: (link) => f.destroyLink(link),
    detachInThread(link) {
      const thread: [bigint | number] = [0];
      const [start, argument] =
        typeof link === 'number' ? [f.closeAddress, BigInt(link)] : [f.destroyLinkAddress, link];
      return f.startThread(thread, null, start, argument) === 0 ? BigInt(thread[0]) : null;
    },
    joinThread: (thread) => void f.joinThread(thread, null),
    findMap: (object, name) => f.findMap(object, name),
    mapFd: (mapPointer) => f.mapFd(mapPointer),
    initialVariables(mapPointer) {
      const size: [number | bigint] = [0];
      const address = f.initialValue(mapPointer, size);
      return address === null ? null : new DataView(koffi.view(address, Number(size[0])));
    },
    setMaxEntries: (mapPointer, count) => f.setMaxEntries(mapPointer, count),
    mapVariables: (fd, sizeBytes) =>
      map(fd, Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES, PROT_READ | PROT_WRITE, 0),
    mapValueSize: (mapPointer) => f.mapValueSize(mapPointer),
    mapMaxEntries: (mapPointer) => f.mapMaxEntries(mapPointer),
    updateElement: (fd, key, value, flags) => f.update(fd, key, value, flags),
    deleteElement: (fd, key) => f.remove(fd, key),
    lookupElement: (fd, key, value) => f.lookup(fd, key, value),
    findKernelTypeId: (name, attachType) => f.findTypeId(name, attachType),
    loadProgram(type, instructions, attachType, attachTypeId, flags = 0) {
      // struct bpf_prog_load_opts: size, attempts, expected_attach_type, prog_btf_fd, prog_flags, prog_ifindex,
      // kern_version, attach_btf_id; the rest zero.
      const options = Buffer.alloc(120);
      options.writeBigUInt64LE(120n, 0);
      options.writeInt32LE(attachType, 12);
      options.writeUInt32LE(flags, 20);
      options.writeUInt32LE(attachTypeId, 32);
      return f.loadProgram(type, 'probe', 'GPL', instructions, instructions.length / 8, options);
    },
    createMap(type, keySize, valueSize, maxEntries, flags) {
      // struct bpf_map_create_opts: size, btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id,
      // inner_map_fd, map_flags, ...
      const options = Buffer.alloc(56);
      options.writeBigUInt64LE(56n, 0);
      options.writeUInt32LE(flags, 28);
      return f.createMap(type, 'probe', keySize, valueSize, maxEntries, options);
    },
    openRawTracepoint: (programFd) => f.openRawTracepoint(null, programFd),
    openTracefs() {
      const context = Number(f.openFileSystem(SYSCALL_FSOPEN, 'tracefs', FSOPEN_CLOEXEC));
      if (context < 0) return -koffi.errno();
      try {
        if (Number(f.syscall5(SYSCALL_FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0)) < 0)
          return -koffi.errno();
        const root = Number(f.syscall5(SYSCALL_FSMOUNT, context, FSMOUNT_CLOEXEC, 0, 0, 0));
        return root < 0 ? -koffi.errno() : root;
      } finally {
        f.close(context);
      }
    },
    openTracepointEvent(id, processor) {
      const number = SYSCALL_PERF_EVENT_OPEN[process.arch];
      if (number === undefined) return -ENOSYS;
      // struct perf_event_attr: type, size, config; the rest zero.
      const attributes = Buffer.alloc(PERF_EVENT_ATTRIBUTE_BYTES);
      attributes.writeUInt32LE(PERF_TYPE_TRACEPOINT, 0);
      attributes.writeUInt32LE(PERF_EVENT_ATTRIBUTE_BYTES, 4);
      attributes.writeBigUInt64LE(BigInt(id), 8);
      const fd = Number(f.openEvent(number, attributes, -1, processor, -1, PERF_FLAG_FD_CLOEXEC));
      return fd < 0 ? -koffi.errno() : fd;
    },
    trySocketCalls() {
      const fd = f.socket(AF_UNIX, SOCK_STREAM, 0);
      if (fd < 0) return;
      // struct sockaddr: its family alone, which names nobody.
      f.connect(fd, Uint8Array.of(AF_UNIX, 0), 2);
      f.accept(fd, null, null);
      f.close(fd);
    },
    trimHeap: () => void f.trim(0),
    takeLog: () => log.splice(0),
    mapRing: (fd, dataBytes) => ({
      consumer: map(fd, PAGE_BYTES, PROT_READ | PROT_WRITE, 0),
      producer: map(fd, producerMappingBytes(dataBytes), PROT_READ, PAGE_BYTES),
    }),
    openWaiter(fds) {
      const waiter = f.epollCreate(EPOLL_CLOEXEC);
      epollEvents.fill(0);
      epollEvents.writeUInt32LE(EDGE_OF_INPUT, 0);
      for (const fd of fds)
        if (waiter >= 0 && f.epollControl(waiter, EPOLL_CTL_ADD, fd, epollEvents) !== 0) return -1;
      return waiter;
    },
    wait(waiter, timeoutMs) {
      f.epollWait(waiter, epollEvents, MAX_WAKERS, timeoutMs);
    },
    close: (fd) => f.close(fd),
    errno: () => koffi.errno(),
    bootTimeNs() {
      f.clock(CLOCK_BOOTTIME, timespec);
      return timespec.readUInt32LE(0) * 1e9 + timespec.readUInt32LE(8);
    },
  };
}
