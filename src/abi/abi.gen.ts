// Generated from bpf/abi.h by scripts/gen.ts. Do not edit: run "make gen".

/** Fingerprint of the whole layout; compared with the BPF object when it is loaded. */
export const ABI_HASH = '382869a14314befe';

export const EVENT_KIND = {
  EXEC: 1,
  FORK: 2,
  EXIT: 3,
  ACCEPT: 4,
  CONNECT: 5,
  CLOSE: 6,
  PAYLOAD: 7,
  OPEN: 8,
  WORK: 9,
} as const;

export const EVENT_FLAG = {
  TRUNCATED: 1,
  UNREADABLE: 2,
  USER_MEMORY: 4,
  ADOPTED: 8,
  PLAINTEXT: 16,
  CLIENT: 32,
} as const;

export const STAMP_ORIGIN = {
  NONE: 0,
  READ: 1,
  PROCESS: 2,
  THREAD: 3,
  WAITED: 4,
  LINKED: 5,
  WORK: 6,
} as const;

export const WORK_PHASE = {
  SUBMITTED: 1,
  DONE: 2,
} as const;

export const STDIO_TYPE = {
  CLOSED: 0,
  FILE: 1,
  DIRECTORY: 2,
  TERMINAL: 3,
  DEVICE: 4,
  PIPE: 5,
  SOCKET: 6,
  OTHER: 7,
} as const;

export const ADDRESS_FAMILY = {
  NONE: 0,
  IPV4: 1,
  IPV6: 2,
  UNIX: 3,
} as const;

export const DIRECTION = {
  NONE: 0,
  IN: 1,
  OUT: 2,
} as const;

export const COUNTER = {
  EVENTS: 0,
  LOST_SECURITY: 1,
  LOST_PAYLOAD: 2,
  CONNECTIONS_FULL: 3,
  THREADS_FULL: 4,
  SERVING_FULL: 5,
  TRUNCATED: 6,
  UNREADABLE: 7,
  COMPAT_SKIPPED: 8,
  SCRATCH_BUSY: 9,
  TLS_UNPLACED: 10,
  MAX: 16,
} as const;

/** Byte offsets in struct accept_event; SIZE is that of its fixed part. */
export const ACCEPT_EVENT = {
  SIZE: 240,
  header: 0,
  connection: 56,
  family: 64,
  local_port: 68,
  remote_port: 70,
  local_address: 72,
  remote_address: 88,
  path: 104,
  path_size: 212,
  inode: 216,
  peer_inode: 224,
  start_sequence: 232,
  network_namespace: 236,
} as const;

/** Byte offsets in struct close_event; SIZE is that of its fixed part. */
export const CLOSE_EVENT = {
  SIZE: 80,
  header: 0,
  connection: 56,
  bytes_in: 64,
  bytes_out: 72,
} as const;

/** Byte offsets in struct connect_event; SIZE is that of its fixed part. */
export const CONNECT_EVENT = {
  SIZE: 192,
  header: 0,
  result: 56,
  family: 60,
  socket_type: 61,
  remote_port: 62,
  remote_address: 64,
  path: 80,
  path_size: 188,
} as const;

/** Byte offsets in struct event_header; SIZE is that of its fixed part. */
export const EVENT_HEADER = {
  SIZE: 56,
  size: 0,
  kind: 4,
  version: 6,
  flags: 7,
  time_ns: 8,
  pid: 16,
  tid: 20,
  start_time_ns: 24,
  cgroup_id: 32,
  stamp_connection: 40,
  stamp_sequence: 48,
  cpu: 52,
  stamp_origin: 54,
  ready_count: 55,
} as const;

/** Byte offsets in struct exec_event; SIZE is that of its fixed part. */
export const EXEC_EVENT = {
  SIZE: 128,
  header: 0,
  parent_pid: 56,
  uid: 60,
  gid: 64,
  effective_uid: 68,
  effective_gid: 72,
  device: 76,
  inode: 80,
  stdio: 88,
  comm: 92,
  path_size: 108,
  executable_size: 112,
  working_directory_size: 116,
  argv_size: 120,
  group_count: 124,
} as const;

/** Byte offsets in struct exit_event; SIZE is that of its fixed part. */
export const EXIT_EVENT = {
  SIZE: 64,
  header: 0,
  code: 56,
} as const;

/** Byte offsets in struct fork_event; SIZE is that of its fixed part. */
export const FORK_EVENT = {
  SIZE: 72,
  header: 0,
  child_pid: 56,
  child_start_time_ns: 64,
} as const;

/** Byte offsets in struct open_event; SIZE is that of its fixed part. */
export const OPEN_EVENT = {
  SIZE: 88,
  header: 0,
  result: 56,
  open_flags: 60,
  device: 64,
  inode: 72,
  path_size: 80,
  resolved_size: 84,
} as const;

/** Byte offsets in struct payload_event; SIZE is that of its fixed part. */
export const PAYLOAD_EVENT = {
  SIZE: 88,
  header: 0,
  connection: 56,
  stream_offset: 64,
  sequence: 72,
  direction: 76,
  length: 80,
  captured_size: 84,
} as const;

/** Byte offsets in struct work_event; SIZE is that of its fixed part. */
export const WORK_EVENT = {
  SIZE: 72,
  header: 0,
  object: 56,
  phase: 64,
} as const;
