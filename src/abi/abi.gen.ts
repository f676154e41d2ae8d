// Generated from bpf/abi.h by scripts/gen.ts. Do not edit: run "make gen".

/** Fingerprint of the whole layout; compared with the BPF object when it is loaded. */
export const ABI_HASH = '50d8261ded51acd2';

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
  ACTION: 10,
  CGROUP: 11,
  DATAGRAM: 12,
  TCP: 13,
} as const;

export const EVENT_FLAG = {
  TRUNCATED: 1,
  UNREADABLE: 2,
  USER_MEMORY: 4,
  ADOPTED: 8,
  PLAINTEXT: 16,
  AGENT: 64,
  CLIENT: 32,
  MADE_RUN: 128,
  RING: 128,
} as const;

export const EXEC_FLAG = {
  UPPER_LAYER: 1,
  MEMORY_FILE: 2,
  NO_NEW_PRIVILEGES: 4,
  KERNEL_PARENT: 8,
  ENVIRONMENT: 16,
  ENVIRONMENT_CUT: 32,
} as const;

export const STAMP_ORIGIN = {
  NONE: 0,
  READ: 1,
  PROCESS: 2,
  THREAD: 3,
  WAITED: 4,
  LINKED: 5,
  WORK: 6,
  TASK: 7,
  MADE: 8,
  SUBTASK: 9,
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
  DATAGRAMS_SKIPPED: 11,
  LOST_BUDGET: 12,
  MAX: 16,
} as const;

export const ARGUMENT_KIND = {
  NUMBER: 0,
  TEXT: 1,
  PATH: 2,
  PATH_AT: 3,
  FILE: 4,
  BYTES: 5,
  WORD: 6,
} as const;

export const ACTION_SCOPE = {
  NOBODY: 0,
  SERVING: 1,
  EVERYBODY: 2,
} as const;

export const ARGUMENT_TEST = {
  NONE: 0,
  ANY_BIT: 1,
  AT_MOST: 2,
  OTHER: 3,
  RAW_SOCKET: 4,
} as const;

/** Byte offsets in struct accept_event; SIZE is that of its fixed part. */
export const ACCEPT_EVENT = {
  SIZE: 256,
  header: 0,
  connection: 64,
  family: 72,
  socket_type: 73,
  local_port: 76,
  remote_port: 78,
  local_address: 80,
  remote_address: 96,
  path: 112,
  path_size: 220,
  inode: 224,
  peer_inode: 232,
  start_sequence: 240,
  network_namespace: 244,
  descriptor: 248,
} as const;

/** Byte offsets in struct action_event; SIZE is that of its fixed part. */
export const ACTION_EVENT = {
  SIZE: 152,
  header: 0,
  result: 64,
  arguments: 72,
  action: 120,
  call: 122,
  text_size: 124,
  base_size: 136,
} as const;

/** Byte offsets in struct action_plan; SIZE is that of its fixed part. */
export const ACTION_PLAN = {
  SIZE: 24,
  action: 0,
  scope: 2,
  test: 3,
  test_argument: 4,
  test_value: 8,
  kinds: 16,
  call: 22,
  target: 23,
} as const;

/** Byte offsets in struct cgroup_budget; SIZE is that of its fixed part. */
export const CGROUP_BUDGET = {
  SIZE: 64,
  key: 0,
  window: 8,
  window_events: 12,
  slice: 16,
  used_bytes: 20,
  lost_events: 24,
  told_events: 32,
  first_lost_ns: 40,
  last_lost_ns: 48,
  last_pid: 56,
  tick: 60,
} as const;

/** Byte offsets in struct cgroup_event; SIZE is that of its fixed part. */
export const CGROUP_EVENT = {
  SIZE: 80,
  header: 0,
  cgroup: 64,
  path_size: 72,
} as const;

/** Byte offsets in struct close_event; SIZE is that of its fixed part. */
export const CLOSE_EVENT = {
  SIZE: 88,
  header: 0,
  connection: 64,
  bytes_in: 72,
  bytes_out: 80,
} as const;

/** Byte offsets in struct connect_event; SIZE is that of its fixed part. */
export const CONNECT_EVENT = {
  SIZE: 224,
  header: 0,
  result: 64,
  family: 68,
  socket_type: 69,
  remote_port: 70,
  remote_address: 72,
  path: 88,
  path_size: 196,
  descriptor: 200,
  local_port: 204,
  local_address: 208,
} as const;

/** Byte offsets in struct datagram_event; SIZE is that of its fixed part. */
export const DATAGRAM_EVENT = {
  SIZE: 200,
  header: 0,
  family: 64,
  socket_type: 65,
  direction: 66,
  local_port: 68,
  remote_port: 70,
  remote_address: 72,
  path: 88,
  path_size: 196,
} as const;

/** Byte offsets in struct event_header; SIZE is that of its fixed part. */
export const EVENT_HEADER = {
  SIZE: 64,
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
  unit: 56,
} as const;

/** Byte offsets in struct exec_details; SIZE is that of its fixed part. */
export const EXEC_DETAILS = {
  SIZE: 136,
  change_time_ns: 0,
  modification_time_ns: 8,
  effective_capabilities: 16,
  permitted_capabilities: 24,
  inheritable_capabilities: 32,
  mode: 40,
  owner_uid: 44,
  owner_gid: 48,
  link_count: 52,
  file_system: 56,
  flags: 60,
  saved_uid: 64,
  saved_gid: 68,
  login_uid: 72,
  session: 76,
  process_group: 80,
  seccomp_mode: 84,
  cgroup_namespace: 88,
  ipc_namespace: 92,
  mount_namespace: 96,
  network_namespace: 100,
  pid_namespace: 104,
  user_namespace: 108,
  uts_namespace: 112,
  interpreter_size: 116,
  terminal: 120,
} as const;

/** Byte offsets in struct exec_event; SIZE is that of its fixed part. */
export const EXEC_EVENT = {
  SIZE: 136,
  header: 0,
  parent_pid: 64,
  uid: 68,
  gid: 72,
  effective_uid: 76,
  effective_gid: 80,
  device: 84,
  inode: 88,
  stdio: 96,
  comm: 100,
  path_size: 116,
  executable_size: 120,
  working_directory_size: 124,
  argv_size: 128,
  group_count: 132,
} as const;

/** Byte offsets in struct exit_event; SIZE is that of its fixed part. */
export const EXIT_EVENT = {
  SIZE: 72,
  header: 0,
  code: 64,
} as const;

/** Byte offsets in struct fork_event; SIZE is that of its fixed part. */
export const FORK_EVENT = {
  SIZE: 80,
  header: 0,
  child_pid: 64,
  child_start_time_ns: 72,
} as const;

/** Byte offsets in struct open_event; SIZE is that of its fixed part. */
export const OPEN_EVENT = {
  SIZE: 96,
  header: 0,
  result: 64,
  open_flags: 68,
  device: 72,
  descriptor: 76,
  inode: 80,
  path_size: 88,
  resolved_size: 92,
} as const;

/** Byte offsets in struct payload_event; SIZE is that of its fixed part. */
export const PAYLOAD_EVENT = {
  SIZE: 96,
  header: 0,
  connection: 64,
  stream_offset: 72,
  sequence: 80,
  direction: 84,
  length: 88,
  captured_size: 92,
} as const;

/** Byte offsets in struct tcp_event; SIZE is that of its fixed part. */
export const TCP_EVENT = {
  SIZE: 152,
  header: 0,
  bytes_sent: 64,
  bytes_received: 72,
  bytes_acked: 80,
  retransmits: 88,
  segments_out: 92,
  segments_in: 96,
  duration_us: 100,
  error: 104,
  family: 108,
  last_state: 109,
  local_port: 110,
  remote_port: 112,
  role: 114,
  local_address: 116,
  remote_address: 132,
} as const;

/** Byte offsets in struct work_event; SIZE is that of its fixed part. */
export const WORK_EVENT = {
  SIZE: 80,
  header: 0,
  object: 64,
  phase: 72,
} as const;
