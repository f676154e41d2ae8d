/** The libraries whose functions we probe, as data: which ones, what for, and which programs look at them. */
export interface ProbedFunction {
  readonly symbol: string;
  /** Program that runs when the function is entered: of bpf/sensors/tls.bpf.c or runtime.bpf.c. */
  readonly enter: string;
  /** Whether the program for returns is wanted, too. */
  readonly hasExit: boolean;
}

/** The sensors of the plan that use libraries. */
export type Purpose = 'tls' | 'runtime';

export interface Library {
  readonly name: string;
  readonly purpose: Purpose;
  /** Names of the files that it comes in, without directory. null: linked into a program. */
  readonly file: RegExp | null;
  /** A file without these functions is none of this library: both, since half of a conversation misleads. */
  readonly needs: readonly (readonly string[])[];
  readonly functions: readonly ProbedFunction[];
}

/** The program for returns from any of the functions. */
export const EXIT_PROGRAM = 'tls_exit';

function entry(symbol: string, enter: string): ProbedFunction {
  return { symbol, enter, hasExit: false };
}

const OPENSSL: readonly ProbedFunction[] = [
  { symbol: 'SSL_read', enter: 'tls_read_enter', hasExit: true },
  { symbol: 'SSL_read_ex', enter: 'tls_read_ex_enter', hasExit: true },
  { symbol: 'SSL_write', enter: 'tls_write_enter', hasExit: true },
  { symbol: 'SSL_write_ex', enter: 'tls_write_ex_enter', hasExit: true },
  { symbol: 'SSL_do_handshake', enter: 'tls_handshake_enter', hasExit: true },
  { symbol: 'SSL_peek', enter: 'tls_handshake_enter', hasExit: true },
  { symbol: 'SSL_peek_ex', enter: 'tls_handshake_enter', hasExit: true },
  { symbol: 'SSL_free', enter: 'tls_free_enter', hasExit: false },
  { symbol: 'SSL_clear', enter: 'tls_free_enter', hasExit: false },
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
      { symbol: 'gnutls_record_recv', enter: 'tls_read_enter', hasExit: true },
      { symbol: 'gnutls_record_send', enter: 'tls_write_enter', hasExit: true },
      { symbol: 'gnutls_handshake', enter: 'tls_handshake_enter', hasExit: true },
      { symbol: 'gnutls_deinit', enter: 'tls_free_enter', hasExit: false },
    ],
  },
  { name: 'built-in OpenSSL', purpose: 'tls', file: null, needs: OPENSSL_NEEDS, functions: OPENSSL },
  {
    // Names of the official builds' symbol table. A build without it is not followed through its pool.
    name: 'event loop of Node.js',
    purpose: 'runtime',
    file: null,
    needs: [
      ['uv__work_submit'],
      ['uv__fs_work'],
      ['uv__fs_done'],
      ['uv__queue_done'],
      ['uv_close'],
      ['_ZN4node10HandleWrap7OnCloseEP11uv_handle_s'],
      ['_ZN4node11Environment9RunTimersEP10uv_timer_s'],
      ['_ZN4node11Environment14CheckImmediateEP10uv_check_s'],
    ],
    functions: [
      entry('uv__work_submit', 'uv_work_submit'),
      entry('uv__fs_work', 'uv_work_run'),
      entry('uv__queue_work', 'uv_work_run'),
      entry('uv__getaddrinfo_work', 'uv_work_run'),
      entry('uv__getnameinfo_work', 'uv_work_run'),
      entry('uv__fs_done', 'uv_work_done'),
      entry('uv__queue_done', 'uv_work_done'),
      entry('uv__getaddrinfo_done', 'uv_work_done'),
      entry('uv__getnameinfo_done', 'uv_work_done'),
      entry('uv_spawn', 'uv_spawn_enter'),
      entry('uv_read_start', 'uv_read_start_enter'),
      entry('_ZN4node12_GLOBAL__N_111ProcessWrap6OnExitEP12uv_process_sli', 'node_process_exit'),
      entry('uv_close', 'uv_close_enter'),
      entry('_ZN4node10HandleWrap7OnCloseEP11uv_handle_s', 'node_handle_close'),
      entry('_ZN4node11Environment9RunTimersEP10uv_timer_s', 'node_unknown_turn'),
      entry('_ZN4node11Environment14CheckImmediateEP10uv_check_s', 'node_unknown_turn'),
    ],
  },
];

/** Every program that the catalogue names for a purpose. */
export function libraryPrograms(purpose: Purpose): readonly string[] {
  const functions = LIBRARIES.filter((library) => library.purpose === purpose).flatMap(
    (library) => library.functions,
  );
  return [
    ...(functions.some(({ hasExit }) => hasExit) ? [EXIT_PROGRAM] : []),
    ...new Set(functions.map(({ enter }) => enter)),
  ];
}

/** The libraries that a mapped file may hold. `isProgram`: the file is the process's own program. */
export function librariesOf(path: string, isProgram: boolean): readonly Library[] {
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
  return LIBRARIES.filter((library) => (library.file === null ? isProgram : library.file.test(file)));
}
