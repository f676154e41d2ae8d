import type { RuntimeReport, RuntimeSocket } from '../containers/contract.ts';
import type { Alert } from '../rules/alert.ts';
import type { RuleMatching } from '../rules/rule-set.ts';
import type { RuleSelection } from '../rules/selection.ts';
import type { RequestFilter } from '../output/request-filter.ts';
import type { RuleTestReport } from '../rules/test-report.ts';
import type {
  EventView,
  FindingView,
  LateEffectView,
  LossView,
  OrphanView,
  RequestView,
} from '../output/views.ts';

/**
 * What commands need from the rest of Throughline. The composition root (src/app) implements it; commands stay free
 * of kernel, threads and files, so that they can be tested with a made-up engine.
 */
export interface Engine {
  /** Runs until the source ends, or the signal aborts. Rejects with a ThroughlineError. */
  run(options: EngineOptions, onMessage: (message: EngineMessage) => void): Promise<RunSummary>;
  /** What this host can do, and what would be attached. Never rejects for a missing feature: that is its result. */
  examine(options?: ExamineOptions): Promise<DoctorReport>;
  /** What the agents that run on this host say of themselves. @param sampleMs how long their programs are measured */
  status(sampleMs: number): Promise<readonly AgentStatus[]>;
  /** Runs the tests of a folder of rules, or of one file of it. Rejects with TL4001 for what cannot be read. */
  testRules(path: string): Promise<RuleTestReport>;
}

export interface ExamineOptions {
  /** As in EngineOptions. */
  readonly containerRuntimes?: readonly RuntimeSocket[];
}

export interface EngineOptions {
  readonly source: { readonly kind: 'live' } | { readonly kind: 'recording'; readonly file: string };
  /** Also write everything that was captured to this file. */
  readonly recordTo: string | null;
  /** Types of events and names of actions: where events are wanted, these alone. Absent: all. */
  readonly eventTypes?: readonly string[];
  /** Which messages are wanted; what nobody wants is not computed. */
  readonly wants: { readonly findings: boolean; readonly requests: boolean; readonly events: boolean };
  /** Which requests are wanted; all where it is missing. */
  readonly filter?: RequestFilter;
  /** Which events are wanted: a condition of the rule language that is right; all where it is missing. */
  readonly eventFilter?: string;
  /** Variables of the environment that are told of programs, and whether their values are shown. Absent: none. */
  readonly environment?: { readonly names: readonly string[]; readonly showsValues: boolean };
  /** Each program that is started is hashed. Absent: those of findings, and what rules ask for. */
  readonly hashesPrograms?: boolean;
  /** Sensors that are left out, by name, each with the reason for people. */
  readonly disabled?: Readonly<Record<string, string>>;
  /** Sockets of the container runtimes that are asked for names; where it is missing, those in the usual places. */
  readonly containerRuntimes?: readonly RuntimeSocket[];
  /** Rules that raise alerts; none where it is missing. */
  readonly rules?: RuleFeed;
  /** How many alerts a rule may raise; DEFAULT_ALERT_LIMIT where it is missing. */
  readonly alertLimit?: AlertLimit;
  /** Where alerts go beside the messages. */
  readonly alerts?: AlertOutputs;
  readonly signal: AbortSignal;
}

/** A rule file as it was read. */
export interface RuleText {
  /** Path as people know it. */
  readonly name: string;
  readonly text: string;
}

/** Rule files. They may change while rules are in force. */
export interface RuleFeed {
  readonly files: readonly RuleText[];
  readonly matching: RuleMatching;
  /** Rules that are switched on or off, beyond what the files say. */
  readonly selections: readonly RuleSelection[];
  /** Tells all files anew, whenever some have changed. @returns ends it */
  onChange(listener: (files: readonly RuleText[]) => void): () => void;
}

export interface AlertOutputs {
  /** Alerts are appended to this file, one JSON object a line. */
  readonly file: string | null;
  /** Each alert is sent to this address in a POST request of its own. */
  readonly url: string | null;
}

/** So many alerts of one rule at once, and as many again in so much time. */
export interface AlertLimit {
  /** Infinity: any number. */
  readonly count: number;
  readonly perNs: number;
}

export interface StartedMessage {
  readonly kind: 'started';
  readonly source: 'live' | 'recording';
  readonly version: string;
  readonly kernel: string;
  /** Short lines for people: what is attached and why. */
  readonly attached: readonly string[];
  readonly startupMs: number;
}

/** How far it is, about once a second. For people who wait: recordings that are made and replayed. */
export interface ProgressMessage {
  readonly kind: 'progress';
  readonly events: number;
  /** 0 where nothing is recorded. */
  readonly recordedBytes: number;
  /** Part of the recording that was replayed, 0 to 1; null for live sources. */
  readonly position: number | null;
}

/** A rule was true of an event. The members but `kind` are those of the reference engine's alerts. */
export interface AlertMessage extends Alert {
  readonly kind: 'alert';
}

/** These rules are in force from now on. */
export interface RulesMessage {
  readonly kind: 'rules';
  readonly rules: number;
  readonly files: number;
  /** Names of those for which every request is read, also plain ones, which costs. */
  readonly reading: readonly string[];
  /** Names of those for which programs are hashed. */
  readonly hashing: readonly string[];
}

/** What is wrong with rule files: at the start nothing is started, later the rules before stay in force. */
export interface RuleProblemsMessage {
  readonly kind: 'rule-problems';
  /** A line each, not safe to print. */
  readonly problems: readonly string[];
  readonly isAtStart: boolean;
}

export type EngineMessage =
  | StartedMessage
  | RuleProblemsMessage
  | AlertMessage
  | RulesMessage
  | ProgressMessage
  | FindingView
  | RequestView
  | OrphanView
  | LateEffectView
  | EventView
  | LossView;

export interface RunSummary {
  readonly events: number;
  readonly requests: number;
  readonly findings: number;
  /** Effects by how their request is known, and how often two ways to know it spoke against each other. */
  readonly effects: EffectCounts;
  readonly durationMs: number;
  /** Lost events by reason; empty when nothing was lost. */
  readonly losses: Readonly<Record<string, number>>;
  /** All that is counted, by part of the program: what was odd, given up, or merely often. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly recordedBytes: number;
  /** How often probes in functions of programs and libraries were hit, by file; empty for recordings. */
  readonly probeHits: readonly ProbeHits[];
  /** How container runtimes answered; null for recordings, which have the answers. */
  readonly containers: ContainerCounts | null;
  /** Executables whose hash was asked for; null where nobody could ask. */
  readonly hashes: HashCounts | null;
  /** null where there were no rules. */
  readonly alerts: AlertCounts | null;
}

export interface AlertCounts {
  readonly raised: number;
  /** Held back, since their rules raised too many. */
  readonly heldBack: number;
  /** Events that rules looked at, and about so many milliseconds for all of that: measured on one event of a thousand. */
  readonly seen: number;
  readonly timeMs: number;
  /** What the rules did and cost, those that took most of the time first; rules that were never run are left out. */
  readonly rules: readonly RuleUse[];
  readonly outputs: readonly OutputCounts[];
}

/** What became of a rule in a run. */
export interface RuleUse {
  readonly rule: string;
  /** How often it was run: on events that have the words by which it is found. */
  readonly evaluated: number;
  readonly matched: number;
  /** Alerts of it that were held back, since there were too many. */
  readonly heldBack: number;
  /** About so long it was run, in milliseconds: measured on one event of a thousand. */
  readonly timeMs: number;
  /** It threw, which is a bug, and is switched off. */
  readonly isBroken: boolean;
}

/** How an output for alerts fared. */
export interface OutputCounts {
  /** The file or address. */
  readonly name: string;
  readonly delivered: number;
  /** Not delivered, since too many waited, or it failed again and again. */
  readonly dropped: number;
}

/** Containers whose runtimes were asked who they are. */
export interface ContainerCounts {
  readonly asked: number;
  readonly named: number;
  /** Known to no runtime, whenever it was asked. */
  readonly unknown: number;
  /** Questions that a runtime's socket did not answer, or not as it should. */
  readonly failed: number;
  /** Not asked for, since too many waited. */
  readonly skipped: number;
}

/** What came of asking for hashes of executables. */
export interface HashCounts {
  readonly asked: number;
  readonly hashed: number;
  /** Answered without reading the file again. */
  readonly known: number;
  /** The process had ended, and no file of that name was left... */
  readonly gone: number;
  /** ...or another one, or it was written to. */
  readonly changed: number;
  readonly tooLarge: number;
  /** On a file system that somebody else serves. */
  readonly remote: number;
  readonly unreadable: number;
  /** Too many waited, or it took too long. */
  readonly skipped: number;
}

export interface EffectCounts {
  readonly exact: number;
  readonly linked: number;
  readonly matched: number;
  readonly ambiguous: number;
  readonly disagreements: number;
  /** Too many requests with too many values were in flight to look for their bytes. */
  readonly contentSkipped: number;
}

export interface ProbeHits {
  readonly library: string;
  readonly path: string;
  /** Of all processes that have the file. */
  readonly hits: number;
}

/** What an agent says of itself, a few seconds ago. */
export interface AgentReport {
  readonly version: string;
  /** ISO-8601. */
  readonly updatedAt: string;
  /** Processor time of all its threads since its start. */
  readonly cpuMs: number;
  /** Of one processor, lately. What its programs in the kernel take is the time of those who run into them. */
  readonly cpuPercent: number;
  readonly residentBytes: number;
  readonly events: number;
  readonly findings: number;
  readonly rings: readonly {
    readonly ring: string;
    readonly waitingBytes: number;
    readonly sizeBytes: number;
  }[];
  /** Lost events by reason, and those of cgroups that had used up their budgets by what they would have told of. */
  readonly losses: Readonly<Record<string, number>>;
  readonly lostByKind: Readonly<Record<string, number>>;
  /** Its programs and the descriptors by which it has them. */
  readonly programs: readonly { readonly program: string; readonly fd: number }[];
}

/** What the kernel spent in a program of an agent. */
export interface ProgramUse {
  readonly program: string;
  readonly runsPerSecond: number;
  /** Of one processor. */
  readonly cpuPercent: number;
}

export interface AgentStatus extends Omit<AgentReport, 'programs'> {
  readonly kind: 'status';
  readonly pid: number;
  /** ISO-8601. */
  readonly startedAt: string;
  /** It has said nothing for some seconds: it is stopped, or gets no processor. */
  readonly isStalled: boolean;
  /** Those that ran while it was measured, the dearest first; null: not measured. */
  readonly programs: readonly ProgramUse[] | null;
}

export interface DoctorReport {
  readonly kind: 'doctor';
  readonly version: string;
  readonly node: string;
  readonly libbpf: string | null;
  readonly kernel: string;
  readonly architecture: string;
  readonly ok: boolean;
  readonly features: readonly {
    readonly name: string;
    readonly answer: 'supported' | 'unsupported' | 'inconclusive';
    readonly detail: string;
  }[];
  readonly plan: readonly {
    readonly sensor: string;
    readonly chosen: string | null;
    readonly reason: string;
    /** What is not seen by this plan; '' for nothing, or where none is chosen. */
    readonly weaker: string;
    readonly attachments: readonly string[];
  }[];
  /** Which hierarchy of cgroups tells whose events are, and why; null where it cannot be told. */
  readonly cgroups: { readonly hierarchy: string; readonly reason: string } | null;
  /** Sockets of container runtimes that were found. */
  readonly containerRuntimes: readonly RuntimeReport[];
  /** Agents that run. */
  readonly agents: readonly AgentStatus[];
  /** Counters of a running agent are its own; here: those of the short trial attach. */
  readonly losses: Readonly<Record<string, number>>;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}
