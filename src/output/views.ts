import type { ActionFields } from './action-view.ts';
import type { EffectType, Grade } from '../model/effect.ts';
import type { StampOrigin } from '../model/event.ts';
import type { ExecTrait, Namespaces } from '../model/exec-details.ts';
import type { ExecutableHash } from '../model/executable.ts';
import type { Severity, Verdict } from '../model/finding.ts';
import type { StdioType } from '../model/process.ts';

/**
 * What Throughline shows of its model: plain objects that cross threads by structured clone, and the public JSON schema
 * of `--json`, one object a line. Byte strings are ordinary text here (UTF-8 where the bytes are, else one character
 * a byte). Times are ISO-8601 in UTC with milliseconds. Fields are only ever added.
 *
 * Headers are no part of any view, so credentials in them never leave the brain; see secrets.ts for the rest.
 */

export interface ClientView {
  readonly ip: string;
  /** 0 for unix sockets. */
  readonly port: number;
}

/** A proxy on this host through which a request came. */
export interface ProxyView {
  readonly pid: number;
  readonly comm: string;
  /** Id of its request, which is told, too; null where several were possible. */
  readonly request: string | null;
}

/** What the message itself says of who sent it. Anybody can write that: for people, never a reason to act. */
export interface ClaimView {
  readonly client: ClientView;
  /** Where it says so: 'x-forwarded-for', 'forwarded', 'x-real-ip', 'remote_addr'. */
  readonly header: string;
}

/** For whom a request was sent on. */
export interface ForwardedForView {
  /** 'socket': through proxies on this host, both ends of whose connections were seen; 'header': the message says so. */
  readonly known: 'socket' | 'header';
  /** Proven by sockets and by what the proxies' threads were doing, by no byte that a client can choose. */
  readonly trusted: boolean;
  /** The client of the first proxy on this host; null where several are possible. */
  readonly client: ClientView | null;
  /** Id of the request as it came to the first proxy on this host; null likewise. */
  readonly request: string | null;
  /** How it is known whose request it was, the weakest of all hops; 'none' where only the message says so. */
  readonly grade: Grade;
  readonly reason: string;
  /** Nearest first. */
  readonly through: readonly ProxyView[];
  /** Ids of the requests that were possible where none is known for sure. */
  readonly candidates: readonly string[];
  /** Of the request as it came to the first proxy on this host; null: it says nothing. */
  readonly claimed: ClaimView | null;
}

/** The container of a process. What its runtime has not told (yet) is null. */
export interface ContainerView {
  /** 64 hexadecimal digits as a rule. */
  readonly id: string;
  readonly name: string | null;
  readonly image: string | null;
  readonly pod: string | null;
  /** Of Kubernetes, or else of containerd. */
  readonly namespace: string | null;
  readonly podUid: string | null;
  /** Who told it: 'docker', 'podman', 'containerd' or 'cri'. */
  readonly runtime: string | null;
}

/** With its labels, at most 32; values that are named or look like secrets are masked. */
export interface LabelledContainerView extends ContainerView {
  readonly labels: Readonly<Record<string, string>>;
}

export interface ServerView {
  readonly pid: number;
  /** Path of the executable; '' where unknown. */
  readonly exe: string;
  readonly comm: string;
  readonly container: ContainerView | null;
  /** systemd unit. */
  readonly unit: string | null;
  readonly address: string;
  readonly port: number;
}

/** A request without its effects, as findings name it. */
export interface RequestSummaryView {
  readonly kind: 'request';
  readonly id: string;
  readonly method: string;
  /** Path and query as sent; values of parameters that are named like secrets are masked. */
  readonly target: string;
  /** The other end of the connection: a proxy, where there is one. */
  readonly client: ClientView;
  /** null: by nobody, as far as is known. */
  readonly forwardedFor: ForwardedForView | null;
  readonly server: ServerView;
  readonly status: number | null;
  readonly startedAt: string;
  /** null while it is in flight. */
  readonly durationMs: number | null;
  readonly droppedEffects: number;
  /** What is odd about the message, such as 'bare-lf'. */
  readonly anomalies: readonly string[];
  /** Some of the message was not captured. */
  readonly truncated: boolean;
}

export interface RequestView extends RequestSummaryView {
  readonly effects: readonly EffectView[];
}

export interface EffectViewBase {
  readonly type: EffectType;
  readonly grade: Grade;
  /** Why this grade. */
  readonly reason: string;
  readonly pid: number;
  readonly tid: number;
  readonly ppid: number;
  readonly comm: string;
  readonly time: string;
}

export interface ExecEffectView extends EffectViewBase {
  readonly type: 'exec';
  /** As passed to the system call. */
  readonly path: string;
  readonly executable: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly user: string | null;
  readonly stdio: readonly [StdioType, StdioType, StdioType];
  readonly argvTruncated: boolean;
  /** What is remarkable about the executable, such as 'memfd', 'deleted', 'upper-layer'; empty where nothing is known. */
  readonly traits: readonly ExecTrait[];
  /** As in ProcessView. */
  readonly hash?: ExecutableHash;
}

export interface ExitEffectView extends EffectViewBase {
  readonly type: 'exit';
  /** Exit code, or 128 + signal. */
  readonly code: number;
}

export interface OpenEffectView extends EffectViewBase {
  readonly type: 'open';
  readonly path: string;
  readonly resolvedPath: string;
  readonly write: boolean;
  /** Names such as O_WRONLY. */
  readonly flags: readonly string[];
  /** Name such as ENOENT; null when it succeeded. */
  readonly error: string | null;
}

export interface ConnectEffectView extends EffectViewBase {
  readonly type: 'connect';
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly transport: 'stream' | 'datagram' | 'other';
  readonly address: string;
  readonly port: number;
  readonly error: string | null;
  /** A non-blocking connect that had not finished when the call returned. */
  readonly inProgress: boolean;
}

/** What was asked of a data service. Literals that are named like secrets are masked. */
export interface QueryEffectView extends EffectViewBase {
  readonly type: 'query';
  /** Such as 'postgresql', 'redis', 'dns'. */
  readonly protocol: string;
  /** The verb: SELECT, HGET, AAAA. */
  readonly operation: string;
  /** The SQL text, the command with its arguments, the name looked up. */
  readonly statement: string;
  /** Values that travelled beside the statement. */
  readonly parameters: readonly string[];
  readonly database: string;
  readonly user: string;
  readonly remote: ClientView;
  /** null while there is no answer. */
  readonly outcome: QueryOutcomeView | null;
  readonly durationMs: number | null;
  /** Some of the question was not captured. */
  readonly truncated: boolean;
  readonly anomalies: readonly string[];
  /** Id of the request as which a process on this host serves it; null where none is known. */
  readonly servedAs: string | null;
}

export interface QueryOutcomeView {
  readonly isError: boolean;
  /** SQLSTATE, error number, NXDOMAIN; '' for plain success. */
  readonly code: string;
  readonly message: string;
  /** Rows that came back or were changed; null where the reply does not say. */
  readonly rows: number | null;
  /** What a lookup came to. */
  readonly answers: readonly string[];
}

/** A system call of the catalogue: docs/reference/events.md. */
export interface ActionEffectView extends EffectViewBase, ActionFields {
  readonly type: 'action';
}

export type EffectView =
  | ExecEffectView
  | ExitEffectView
  | OpenEffectView
  | ConnectEffectView
  | QueryEffectView
  | ActionEffectView;

export interface AncestorView {
  readonly pid: number;
  readonly exe: string;
  readonly comm: string;
  readonly argv: readonly string[];
}

/** Variables of a program's environment by name; null: their values are hidden. */
export type EnvironmentView = Readonly<Record<string, string | null>>;

export interface ProcessView {
  readonly pid: number;
  readonly exe: string;
  readonly comm: string;
  /** At most 64 elements. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly user: string | null;
  /** Of its executable, as in ExecEffectView. */
  readonly traits: readonly ExecTrait[];
  /** Of its executable: SHA-256, or why it is not known. Absent: nobody asked, or there was no answer yet. */
  readonly hash?: ExecutableHash;
  readonly environment?: EnvironmentView;
  readonly container: LabelledContainerView | null;
  readonly unit: string | null;
  /** Nearest first, at most 16. */
  readonly ancestors: readonly AncestorView[];
}

/** A row of `trace --summary`: all requests of one route. */
export interface RouteView {
  readonly kind: 'route';
  readonly method: string;
  /** The path, numbers and random identifiers in it replaced by `:id`. */
  readonly route: string;
  readonly requests: number;
  /** Replies with a status of 500 or above, and requests without any reply. */
  readonly failures: number;
  /** Half of the requests took at most so long (within 2 %); null where none was answered. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly execs: number;
  /** Files opened, libraries left out. */
  readonly files: number;
  readonly connects: number;
  readonly queries: number;
  /** Part of the effects whose request is certain, 0 to 1, those that could not be placed counted; null without any. */
  readonly exactShare: number | null;
}

/** An effect of a request-serving process that could not be placed. */
export interface OrphanView {
  readonly kind: 'orphan';
  readonly effect: EffectView;
  readonly process: ProcessView;
  /** Ids of the requests that were possible. */
  readonly candidates: readonly string[];
}

/** An effect that came after its request was printed. */
export interface LateEffectView {
  readonly kind: 'effect';
  /** Id of the request. */
  readonly request: string;
  readonly effect: EffectView;
}

export interface EvidenceView {
  /** Where the bytes came from: "query parameter host". */
  readonly source: string;
  readonly value: string;
  /** Where they stand: 'argv[2]', 'path', 'resolved path'; null for evidence in the request alone. */
  readonly sink: string | null;
  readonly sinkValue: string | null;
  /** Start of the value within sinkValue in UTF-16 units of this text; -1 where it does not stand there literally. */
  readonly offset: number;
  /** Length of the value within sinkValue in the same units; 0 where offset is -1. */
  readonly length: number;
  readonly note: string;
}

export interface AttributionView {
  readonly grade: Grade;
  readonly reason: string;
  readonly candidates: readonly string[];
}

export interface FindingView {
  readonly kind: 'finding';
  readonly id: string;
  readonly time: string;
  readonly verdict: Verdict;
  readonly class: string;
  readonly severity: Severity;
  readonly title: string;
  readonly detector: string;
  readonly cwe: readonly number[];
  /** MITRE ATT&CK technique ids. */
  readonly attack: readonly string[];
  readonly request: RequestSummaryView | null;
  /** The decisive effect. */
  readonly effect: EffectView | null;
  /** The process of the decisive effect, as it was then; without one, the process that served the request. */
  readonly process: ProcessView | null;
  readonly attribution: AttributionView;
  readonly evidence: readonly EvidenceView[];
  /** The decisive effect and what followed in the same request. */
  readonly story: readonly EffectView[];
  readonly actions: readonly string[];
}

export interface LossView {
  readonly kind: 'loss';
  readonly time: string;
  /** Events lost since the last such message, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

interface EventViewBase {
  readonly kind: 'event';
  readonly time: string;
  /** Nanoseconds since boot. */
  readonly timeNs: number;
  readonly pid: number;
  readonly tid: number;
  readonly startTicks: number;
  readonly cgroupId: number;
  readonly container: ContainerView | null;
  readonly cpu: number;
  /** The kernel's cheap guess which request the thread was serving; null for none. */
  readonly stamp: {
    readonly connection: number;
    readonly sequence: number;
    readonly origin: StampOrigin;
  } | null;
  readonly truncated: boolean;
}

export interface ExecEventView extends EventViewBase {
  readonly type: 'exec';
  readonly ppid: number;
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly groups: readonly number[];
  readonly inode: number;
  readonly device: number;
  readonly stdio: readonly [StdioType, StdioType, StdioType];
  readonly comm: string;
  readonly path: string;
  readonly executable: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** null: recorded by a version that did not tell them. */
  readonly details: ExecDetailsView | null;
  /** With --env: the variables of its environment that are set. Absent: nobody asked. */
  readonly environment?: EnvironmentView;
  /** With --hash: `sha256` of the executable, or `problem`, why it is not known. Absent: not asked for, or no answer in time. */
  readonly hash?: ExecutableHash;
}

/** The executable: the file whose code runs, so of a script its interpreter. */
export interface ExecFileView {
  /** Permissions as four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** 0: deleted, or never named. */
  readonly links: number;
  readonly changedAt: string;
  readonly modifiedAt: string;
  /** Such as 'ext4', 'tmpfs', 'overlay'; '0x...' for one without a name here. */
  readonly fileSystem: string;
}

/** What an exec tells beside the program: its file, and who runs it. */
export interface ExecDetailsView {
  readonly file: ExecFileView;
  /** What is remarkable about the file, such as 'memfd', 'deleted', 'upper-layer'. */
  readonly traits: readonly ExecTrait[];
  /** Program that a script, or another format, names to run it. */
  readonly interpreter: string | null;
  readonly suid: number;
  readonly sgid: number;
  /** Of audit; null: nobody logged in. */
  readonly loginUid: number | null;
  /** Pid of its leader. */
  readonly session: number;
  readonly processGroup: number;
  /** Controlling terminal, such as 'pts3'. */
  readonly terminal: string | null;
  /** As in /proc/PID/status: 16 hexadecimal digits. */
  readonly capabilities: {
    readonly effective: string;
    readonly permitted: string;
    readonly inheritable: string;
  };
  readonly noNewPrivileges: boolean;
  /** 'disabled', 'strict', 'filter'. */
  readonly seccomp: string;
  /** Inode numbers, as in /proc/PID/ns. */
  readonly namespaces: Namespaces;
}

export interface ForkEventView extends EventViewBase {
  readonly type: 'fork';
  readonly childPid: number;
  readonly childStartTicks: number;
}

export interface ExitEventView extends EventViewBase {
  readonly type: 'exit';
  readonly code: number;
}

export interface AcceptEventView extends EventViewBase {
  readonly type: 'accept';
  readonly connection: number;
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly client: ClientView;
  readonly server: ClientView;
  /** Which end the process is: a connection that it made is told like one that it accepted, at its first question. */
  readonly role: 'client' | 'server';
  readonly transport: 'stream' | 'datagram';
  readonly adopted: boolean;
  /** Number of the new descriptor, where the process has just accepted it. */
  readonly descriptor: number | null;
}

interface ProvenanceView {
  /** Who was asked what was passed: the kernel, or the caller's memory after the call, which another thread may have changed. */
  readonly readFrom: 'kernel' | 'caller';
  /** Asked for through io_uring: told when it is submitted (EINPROGRESS), and once more with its result. */
  readonly ring: boolean;
}

export interface ConnectEventView extends EventViewBase, ProvenanceView {
  readonly type: 'connect';
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly transport: 'stream' | 'datagram' | 'other';
  readonly address: string;
  readonly port: number;
  /** This end; null: not known, as of a unix socket or a connection that failed. */
  readonly local: ClientView | null;
  /** Number of the socket's descriptor; null: one of the files that a ring has. */
  readonly descriptor: number | null;
  readonly error: string | null;
}

export interface DatagramEventView extends EventViewBase, ProvenanceView {
  readonly type: 'datagram';
  readonly direction: 'in' | 'out';
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  /** What the socket is. */
  readonly transport: 'datagram' | 'raw' | 'other';
  /** 0 where it has none. */
  readonly localPort: number;
  readonly address: string;
  readonly port: number;
}

export interface TcpEventView extends EventViewBase {
  readonly type: 'tcp';
  readonly family: 'ipv4' | 'ipv6';
  /** Which end this is; null: not known. */
  readonly role: 'client' | 'server' | null;
  readonly local: ClientView;
  readonly remote: ClientView;
  /** The state before it was closed, such as SYN_SENT of a connection that came to nothing. */
  readonly lastState: string;
  readonly error: string | null;
  /** With what was sent again. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Bytes that the other end has acknowledged. */
  readonly bytesAcked: number;
  /** Segments that were sent again. */
  readonly retransmits: number;
  readonly segmentsOut: number;
  readonly segmentsIn: number;
  /** Since it was established; null: never, or not known. */
  readonly durationMs: number | null;
}

export interface WorkEventView extends EventViewBase {
  readonly type: 'work';
  /** Address in the process: names the work from submitted to done. */
  readonly object: number;
  readonly phase: 'submitted' | 'done';
}

export interface CloseEventView extends EventViewBase {
  readonly type: 'close';
  readonly connection: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface PayloadEventView extends EventViewBase {
  readonly type: 'payload';
  readonly connection: number;
  readonly sequence: number;
  readonly direction: 'in' | 'out';
  readonly streamOffset: number;
  /** Bytes that the system call transferred. */
  readonly length: number;
  /** Bytes of them that were captured. */
  readonly captured: number;
  /** The first bytes, controls escaped, credentials masked. */
  readonly preview: string;
}

export interface OpenEventView extends EventViewBase, ProvenanceView {
  readonly type: 'open';
  readonly error: string | null;
  readonly flags: readonly string[];
  readonly inode: number;
  readonly device: number;
  readonly path: string;
  readonly resolvedPath: string;
  /** Number of the descriptor; null: it failed, or the file went to a ring. */
  readonly descriptor: number | null;
}

export interface ActionEventView extends EventViewBase, ProvenanceView, ActionFields {
  readonly type: 'action';
}

export type EventView =
  | ExecEventView
  | ForkEventView
  | ExitEventView
  | AcceptEventView
  | ConnectEventView
  | CloseEventView
  | WorkEventView
  | PayloadEventView
  | OpenEventView
  | DatagramEventView
  | TcpEventView
  | ActionEventView;
