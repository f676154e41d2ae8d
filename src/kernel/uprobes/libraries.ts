import type { UnitKind } from '../runtimes/unit-layout.ts';

/** The libraries whose functions we probe, as data: which ones, what for, and which programs look at them. */
export interface ProbedFunction {
  /** Its name; one of ours where it has none in the file: then `within` tells where its address stands. */
  readonly symbol: string;
  readonly within?: Variable;
  /** Probed only where the file does not show this function, which is called less often. */
  readonly unless?: string;
  /** Program that runs when the function is entered: of bpf/sensors/tls.bpf.c or runtime.bpf.c. */
  readonly enter?: string;
  /** Program that runs when it returns. */
  readonly exit?: string;
}

/** A variable with the address of a function: at an offset, or as a method of a Python type. */
export type Variable =
  | { readonly symbol: string; readonly at: number }
  | { readonly symbol: string; readonly method: string };

/** The sensors of the plan that use libraries. */
export type Purpose = 'tls' | 'runtime';

export interface Library {
  readonly name: string;
  /** Only where the process keeps its units in this way (src/kernel/runtimes/): nobody else pays for the probes. */
  readonly units?: UnitKind;
  /** Only in processes that have such a file, too. */
  readonly beside?: RegExp;
  readonly purpose: Purpose;
  /** A program of Go: its functions have names even where it has no symbols, and its probes need to know goroutines. */
  readonly isGo?: boolean;
  /** Names of the files that it comes in, without directory. null: linked into a program. */
  readonly file: RegExp | null;
  /** A file without these functions is none of this library: both, since half of a conversation misleads. */
  readonly needs: readonly (readonly string[])[];
  readonly functions: readonly ProbedFunction[];
}

/** The program for returns from any function of a TLS library. */
const TLS_EXIT = 'tls_exit';

function entry(symbol: string, enter: string, unless?: string): ProbedFunction {
  return { symbol, enter, ...(unless === undefined ? {} : { unless }) };
}

/** Called when there are immediates to run; the other one in each turn of the loop. */
const IMMEDIATES = '_ZNK4node14PrincipalRealm27immediate_callback_functionEv';
const CHECK_IMMEDIATES = '_ZN4node11Environment14CheckImmediateEP10uv_check_s';
/** Called for each stream that ends; the other one for each handle, that of a program too. */
const CLOSED_STREAM = 'uv__stream_destroy';
const CLOSED_HANDLE = '_ZN4node10HandleWrap7OnCloseEP11uv_handle_s';

/** Offset of tp_dealloc in a PyTypeObject: the same since Python 3.0. */
const TYPE_DEALLOC = 48;
const PYTHON_CONTEXTS: readonly ProbedFunction[] = [
  { symbol: 'PyContext_CopyCurrent', exit: 'python_context_copied' },
  {
    symbol: 'tp_dealloc of PyContext_Type',
    within: { symbol: 'PyContext_Type', at: TYPE_DEALLOC },
    enter: 'python_context_freed',
  },
];
const PYTHON_CONTEXT_RUN: readonly ProbedFunction[] = [
  {
    symbol: 'run of PyContext_Type',
    within: { symbol: 'PyContext_Type', method: 'run' },
    enter: 'python_context_run',
  },
];
/** The event loop that reads before it enters a context. */
export const UVLOOP = /\/uvloop\/loop\.[^/]*so(?: \(deleted\))?$/;

/** In a library of its own, or built into the program. */
function pythonTasks(name: string, file: RegExp | null): readonly Library[] {
  return [
    {
      name: `uvloop on ${name}`,
      purpose: 'runtime',
      file,
      beside: UVLOOP,
      needs: PYTHON_CONTEXT_RUN.map(({ symbol }) => [symbol]),
      functions: PYTHON_CONTEXT_RUN,
    },
    {
      name: `tasks of ${name}`,
      units: 'python',
      purpose: 'runtime',
      file,
      needs: PYTHON_CONTEXTS.map(({ symbol }) => [symbol]),
      functions: PYTHON_CONTEXTS,
    },
  ];
}

const OPENSSL: readonly ProbedFunction[] = [
  { symbol: 'SSL_read', enter: 'tls_read_enter', exit: TLS_EXIT },
  { symbol: 'SSL_read_ex', enter: 'tls_read_ex_enter', exit: TLS_EXIT },
  { symbol: 'SSL_write', enter: 'tls_write_enter', exit: TLS_EXIT },
  { symbol: 'SSL_write_ex', enter: 'tls_write_ex_enter', exit: TLS_EXIT },
  { symbol: 'SSL_do_handshake', enter: 'tls_handshake_enter', exit: TLS_EXIT },
  { symbol: 'SSL_peek', enter: 'tls_handshake_enter', exit: TLS_EXIT },
  { symbol: 'SSL_peek_ex', enter: 'tls_handshake_enter', exit: TLS_EXIT },
  { symbol: 'SSL_free', enter: 'tls_free_enter' },
  { symbol: 'SSL_clear', enter: 'tls_free_enter' },
];

const OPENSSL_NEEDS = [
  ['SSL_read', 'SSL_read_ex'],
  ['SSL_write', 'SSL_write_ex'],
];

/**
 * OpenSSL 1.1 and 3, LibreSSL and BoringSSL agree in these names and arguments. The file name may carry a mark of
 * whoever bundled it, as in Python wheels (libssl-3e69114b.so.1.1). Programs that have it built in export its
 * functions (Node.js), or keep them in their symbol table.
 */
export const LIBRARIES: readonly Library[] = [
  {
    name: 'OpenSSL',
    purpose: 'tls',
    file: /^(?:libssl(?:-[\w.]+)?|libboringssl|libnode)\.so(?:\.|$)/,
    needs: OPENSSL_NEEDS,
    functions: OPENSSL,
  },
  {
    name: 'GnuTLS',
    purpose: 'tls',
    file: /^libgnutls(?:-[\w.]+)?\.so(?:\.|$)/,
    needs: [['gnutls_record_recv'], ['gnutls_record_send']],
    functions: [
      { symbol: 'gnutls_record_recv', enter: 'tls_read_enter', exit: TLS_EXIT },
      { symbol: 'gnutls_record_send', enter: 'tls_write_enter', exit: TLS_EXIT },
      { symbol: 'gnutls_handshake', enter: 'tls_handshake_enter', exit: TLS_EXIT },
      { symbol: 'gnutls_deinit', enter: 'tls_free_enter' },
    ],
  },
  { name: 'built-in OpenSSL', purpose: 'tls', file: null, needs: OPENSSL_NEEDS, functions: OPENSSL },
  {
    // The deferred unlock in Read is a closure whose name has changed; see bpf/sensors/go-tls.bpf.c for what it tells.
    name: 'TLS of Go',
    purpose: 'tls',
    isGo: true,
    file: null,
    needs: [
      ['crypto/tls.(*Conn).Write'],
      ['crypto/tls.(*Conn).readRecordOrCCS'],
      ['crypto/tls.(*Conn).Read.func1', 'crypto/tls.(*Conn).Read.deferwrap1'],
      ['crypto/tls.(*Conn).serverHandshake', 'crypto/tls.(*Conn).clientHandshake'],
    ],
    functions: [
      entry('crypto/tls.(*Conn).Write', 'go_tls_write'),
      entry('crypto/tls.(*Conn).readRecordOrCCS', 'go_tls_record'),
      entry('crypto/tls.(*Conn).Read.func1', 'go_tls_read_end'),
      entry('crypto/tls.(*Conn).Read.deferwrap1', 'go_tls_read_end'),
      entry('crypto/tls.(*Conn).serverHandshake', 'go_tls_handshake'),
      entry('crypto/tls.(*Conn).clientHandshake', 'go_tls_handshake'),
    ],
  },
  {
    // Names of the official builds' symbol table. A build without it is not followed through its pool.
    name: 'event loop of Node.js',
    purpose: 'runtime',
    file: null,
    needs: [
      ['uv__work_submit'],
      ['uv__fs_done'],
      ['uv__queue_done'],
      ['uv_close'],
      [CLOSED_HANDLE],
      ['_ZN4node11Environment9RunTimersEP10uv_timer_s'],
      [IMMEDIATES, CHECK_IMMEDIATES],
    ],
    functions: [
      entry('uv__work_submit', 'uv_work_submit'),
      entry('uv_queue_work', 'uv_queue_work_enter'),
      entry('uv__queue_work', 'uv_work_run'),
      entry('uv__getaddrinfo_work', 'uv_work_run'),
      entry('uv__getnameinfo_work', 'uv_work_run'),
      entry('uv__fs_done', 'uv_work_done'),
      entry('uv__queue_done', 'uv_work_done'),
      entry('uv__getaddrinfo_done', 'uv_work_done'),
      entry('uv__getnameinfo_done', 'uv_work_done'),
      entry('uv_spawn', 'uv_spawn_enter'),
      entry('_ZN4node12_GLOBAL__N_111ProcessWrap6OnExitEP12uv_process_sli', 'node_process_exit'),
      entry('uv__tcp_close', 'uv_close_enter'),
      entry('uv_close', 'uv_close_enter', 'uv__tcp_close'),
      entry(CLOSED_STREAM, 'node_handle_close'),
      entry('uv__udp_finish_close', 'node_handle_close'),
      entry('_ZN4node6worker11MessagePort7OnCloseEv', 'node_handle_close'),
      entry(CLOSED_HANDLE, 'node_handle_close', CLOSED_STREAM),
      entry('_ZN4node11Environment9RunTimersEP10uv_timer_s', 'node_timers'),
      entry('_ZN4node6worker11MessagePort9OnMessageENS1_21MessageProcessingModeE', 'node_unowned'),
      entry('_ZN4node6worker6Worker10JoinThreadEv', 'node_unowned'),
      entry('_ZN6v8impl12_GLOBAL__N_118ThreadSafeFunction7AsyncCbEP10uv_async_s', 'node_unowned'),
      entry(IMMEDIATES, 'node_immediates'),
      entry(CHECK_IMMEDIATES, 'node_immediates', IMMEDIATES),
    ],
  },
  ...pythonTasks('Python', /^libpython3\.\d+\w*\.so(?:\.|$)/),
  ...pythonTasks('built-in Python', null),
];

/** Every program that the catalogue names for a purpose. */
export function libraryPrograms(purpose: Purpose): readonly string[] {
  const programs = new Set<string>();
  for (const library of LIBRARIES)
    if (library.purpose === purpose)
      for (const { enter, exit } of library.functions)
        for (const program of [enter, exit]) if (program !== undefined) programs.add(program);
  return [...programs];
}

/** The libraries that a mapped file may hold. `isProgram`: the file is the process's own program. */
export function librariesOf(path: string, isProgram: boolean): readonly Library[] {
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
  return LIBRARIES.filter((library) => (library.file === null ? isProgram : library.file.test(file)));
}
