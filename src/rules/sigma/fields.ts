import { check, TRUE, type Tree } from './tree.ts';

/** What a field of a log source is in our events. */
export type FieldMapping =
  | { readonly kind: 'text'; readonly field: string; readonly note?: string }
  /** A path of a directory: it ends with a slash in our events. */
  | { readonly kind: 'directory'; readonly field: string }
  | { readonly kind: 'number'; readonly field: string }
  | { readonly kind: 'address'; readonly field: string; readonly network: string }
  /** One argument of a program, by its place. */
  | { readonly kind: 'argument'; readonly index: number; readonly note: string }
  /** Several values, which can be asked for as wholes only. */
  | { readonly kind: 'list'; readonly field: string }
  /** Few values, each with what it means, in lower case. */
  | { readonly kind: 'choice'; readonly values: Readonly<Record<string, Tree>> }
  /** The name of a system call. */
  | { readonly kind: 'syscall' }
  /** Why no event has it, as a clause. */
  | { readonly kind: 'untold'; readonly reason: string };

/** A log source of Sigma: which of our events are its own, and what its fields are. */
export interface Category {
  /** True of all its events, and of no others. */
  readonly base: readonly string[];
  readonly fields: Readonly<Record<string, FieldMapping>>;
  /** Fields of ours that a search without a field looks into. */
  readonly texts: readonly string[];
  /** What an alert says beside the title. */
  readonly output: string;
  /** What is to be known of all its rules, as a clause. */
  readonly note?: string;
}

const text = (field: string): FieldMapping => ({ kind: 'text', field });
const number = (field: string): FieldMapping => ({ kind: 'number', field });
const untold = (reason: string, names: readonly string[]): Record<string, FieldMapping> =>
  Object.fromEntries(names.map((name) => [name, { kind: 'untold', reason }]));
const yesOrNo = (yes: Tree, no: Tree): FieldMapping => ({
  kind: 'choice',
  values: { true: yes, yes, '1': yes, false: no, no, '0': no },
});

/** Who did it: the members that Sysmon gives to every event. */
const ACTOR: Readonly<Record<string, FieldMapping>> = {
  Image: text('proc.exepath'),
  User: text('user.name'),
  ProcessId: number('proc.pid'),
  ...untold('ids of Sysmon are its own', [
    'ProcessGuid',
    'LogonGuid',
    'LogonId',
    'ParentProcessGuid',
    'RuleName',
  ]),
  ...untold('times are no text here', ['UtcTime', 'CreationUtcTime', 'PreviousCreationUtcTime']),
};
const ACTOR_OUTPUT =
  'program=%proc.exepath command=%proc.exeline parent=%proc.pexepath user=%user.name pid=%proc.pid';

const PROCESS_CREATION: Category = {
  base: ['evt.type in (execve, execveat)'],
  fields: {
    ...ACTOR,
    CommandLine: text('proc.exeline'),
    CurrentDirectory: { kind: 'directory', field: 'proc.cwd' },
    ParentImage: text('proc.pexepath'),
    ParentCommandLine: {
      kind: 'text',
      field: 'proc.pcmdline',
      note: 'ParentCommandLine begins with the name of the program, not with its first argument as it was passed',
    },
    ParentProcessId: number('proc.ppid'),
    ...untold('hashes of files are not computed', ['Hashes', 'md5', 'sha1', 'sha256', 'Imphash', 'imphash']),
    ...untold('programs of Linux do not have it', [
      'OriginalFileName',
      'Company',
      'Product',
      'Description',
      'FileVersion',
      'IntegrityLevel',
    ]),
    ...untold('the session of a terminal is no number here', ['TerminalSessionId']),
    ...untold('the user of the parent is not told', ['ParentUser']),
  },
  texts: ['proc.exeline', 'proc.exepath', 'proc.cwd', 'proc.pcmdline', 'proc.pexepath', 'user.name'],
  output: `${ACTOR_OUTPUT} cwd=%proc.cwd`,
};

const FILE_EVENT: Category = {
  // Made or overwritten, as the event of Sysmon has it.
  base: [
    'evt.type in (open, openat, openat2, creat)',
    'evt.is_open_write = true',
    'fd.num >= 0',
    '(evt.arg.flags contains O_CREAT or evt.arg.flags contains O_TRUNC)',
  ],
  fields: { ...ACTOR, TargetFilename: text('fd.name') },
  texts: ['fd.name', 'proc.exepath', 'user.name'],
  output: `file=%fd.name ${ACTOR_OUTPUT}`,
};

const FILE_DELETE: Category = {
  base: ['evt.type in (unlink, unlinkat)', 'evt.failed = false'],
  fields: {
    ...ACTOR,
    TargetFilename: text('fs.path.name'),
    ...untold('hashes of files are not computed', ['Hashes']),
    ...untold('deleted files are not kept', ['Archived', 'IsExecutable']),
  },
  texts: ['fs.path.name', 'proc.exepath', 'user.name'],
  output: `file=%fs.path.name ${ACTOR_OUTPUT}`,
};

const ENDS = 'names of services and hosts are not looked up for addresses';
const NETWORK_CONNECTION: Category = {
  base: [
    'evt.type in (connect, accept, accept4)',
    'fd.sockfamily = ip',
    '(evt.rawres >= 0 or evt.res = EINPROGRESS)',
  ],
  fields: {
    ...ACTOR,
    Initiated: yesOrNo(check('evt.type = connect'), check('evt.type in (accept, accept4)')),
    Protocol: text('fd.l4proto'),
    SourceIp: { kind: 'address', field: 'fd.cip', network: 'fd.cnet' },
    SourcePort: number('fd.cport'),
    SourceIsIpv6: yesOrNo(check('fd.type = ipv6'), check('fd.type = ipv4')),
    DestinationIp: { kind: 'address', field: 'fd.sip', network: 'fd.snet' },
    DestinationPort: number('fd.sport'),
    DestinationIsIpv6: yesOrNo(check('fd.type = ipv6'), check('fd.type = ipv4')),
    ...untold(ENDS, ['DestinationHostname', 'SourceHostname', 'DestinationPortName', 'SourcePortName']),
  },
  texts: ['fd.name', 'proc.exepath', 'user.name'],
  output: `connection=%fd.name protocol=%fd.l4proto ${ACTOR_OUTPUT}`,
};

const DNS_QUERY: Category = {
  base: ['evt.type = dns_query'],
  fields: {
    ...ACTOR,
    QueryName: text('dns.name'),
    QueryResults: { kind: 'list', field: 'dns.answer' },
    record_type: text('dns.type'),
    ...untold('codes of answers are not told', ['QueryStatus']),
  },
  texts: ['dns.name', 'proc.exepath', 'user.name'],
  output: `name=%dns.name ${ACTOR_OUTPUT}`,
  note: 'questions of DNS are told of processes that serve requests, and of what they started',
};

/** Who did it, in records of the audit system. */
const AUDITED: Readonly<Record<string, FieldMapping>> = {
  exe: text('proc.exepath'),
  comm: text('proc.name'),
  cwd: { kind: 'directory', field: 'proc.cwd' },
  pid: number('proc.pid'),
  ppid: number('proc.ppid'),
  uid: number('user.uid'),
  gid: number('group.gid'),
  ...untold('keys are those of rules of the audit system', ['key']),
  ...untold('paths are in records of their own, which depend on the rules of the audit system', [
    'name',
    'nametype',
    'path',
  ]),
};

const ARGUMENTS: Readonly<Record<string, FieldMapping>> = Object.fromEntries(
  Array.from({ length: 31 }, (_, at) => [
    `a${at + 1}`,
    { kind: 'argument', index: at + 1, note: 'single arguments are told apart by the blanks between them' },
  ]),
);

export const AUDIT_EXECVE: Category = {
  base: ['evt.type in (execve, execveat)'],
  fields: {
    ...AUDITED,
    type: { kind: 'choice', values: { execve: TRUE } },
    a0: text('proc.exe'),
    ...ARGUMENTS,
  },
  texts: ['proc.exeline', 'proc.exepath'],
  output: ACTOR_OUTPUT,
};

const AUDIT_SYSCALL: Category = {
  base: [],
  fields: {
    ...AUDITED,
    type: { kind: 'choice', values: { syscall: TRUE } },
    syscall: { kind: 'syscall' },
    SYSCALL: { kind: 'syscall' },
    success: yesOrNo(check('evt.failed = false'), check('evt.failed = true')),
    ...untold('arguments of calls have other numbers here', ['a0', 'a1', 'a2', 'a3']),
  },
  texts: ['proc.exepath', 'proc.name'],
  output: `call=%evt.type result=%evt.res ${ACTOR_OUTPUT}`,
};

/** By the category of the log source. */
export const CATEGORIES: Readonly<Record<string, Category>> = {
  process_creation: PROCESS_CREATION,
  file_event: FILE_EVENT,
  file_delete: FILE_DELETE,
  network_connection: NETWORK_CONNECTION,
  dns_query: DNS_QUERY,
};

/** Records of the audit system, by their type in lower case: each is another event. */
export const AUDIT_RECORDS: Readonly<Record<string, Category>> = {
  execve: AUDIT_EXECVE,
  syscall: AUDIT_SYSCALL,
};
