import type { Effect } from './effect.ts';
import type { Request } from './request.ts';

/**
 * - PROBED: it looked like an attack; nothing shows an effect
 * - SUSPICIOUS: an unusual effect while a request was served, without proof that the request's bytes drove it
 * - EXPLOITED: the request's bytes changed what the machine was told to do, and the operation succeeded
 * - BLOCKED: it was stopped
 */
export type Verdict = 'PROBED' | 'SUSPICIOUS' | 'EXPLOITED' | 'BLOCKED';
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';

/** Bytes of a request that stand in an effect (or, for PROBED, bytes of the request alone). */
export interface Evidence {
  /** Where the bytes came from, for people: "query parameter host". */
  readonly source: string;
  /** The input's value, byte string, as decoded when it matched. */
  readonly value: string;
  /** Where they stand: 'argv[2]', 'path', 'resolved path', or null for the request alone. */
  readonly sink: string | null;
  /** The whole sink value, byte string; null for the request alone. */
  readonly sinkValue: string | null;
  /** Start of the value within sinkValue, in bytes; -1 where the value does not stand there literally. */
  readonly offset: number;
  /** What about it is decisive, for people: "runs `id` after a command separator". */
  readonly note: string;
}

/** What a detector says. The pipeline turns detections into findings: de-duplicated, with identity and story. */
export interface Detection {
  readonly detector: string;
  readonly verdict: Verdict;
  /** Class of attack, kebab-case: 'command-injection', 'path-traversal', ... */
  readonly class: string;
  readonly severity: Severity;
  /** One line for people. */
  readonly title: string;
  readonly cwe: readonly number[];
  /** MITRE ATT&CK technique ids. */
  readonly attack: readonly string[];
  readonly request: Request | null;
  readonly effect: Effect | null;
  readonly evidence: readonly Evidence[];
}

export interface Finding extends Detection {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** Effects of the same request after (and including) the decisive one: what followed. */
  readonly story: readonly Effect[];
  /** Responses taken. Empty while no responder exists. */
  readonly actions: readonly string[];
}
