import type { AttributionCounters } from '../../src/attribution/attribution.ts';
import type { Baselines } from './baselines.ts';
import type { CostRound } from './cost.ts';
import type { EffectKind } from './effect-kind.ts';
import type { Mistake, Verdicts } from './judge.ts';

/** One load on one server. */
export interface CellResult {
  readonly concurrency: number;
  readonly keepAlive: boolean;
  readonly requests: number;
  /** Requests without a good reply: they are not judged. */
  readonly failed: number;
  /** What the first of them said. */
  readonly failure: string | null;
  readonly requestsPerSecond: number;
  readonly verdicts: Verdicts;
  readonly baselines: Baselines;
}

export interface RuntimeResult {
  readonly name: string;
  readonly title: string;
  /** What is counted by request is counted by request that does its work; what the others cost is in it. */
  readonly kinds: readonly EffectKind[];
  readonly cells: readonly CellResult[];
  /** The first few; mistakeCount has them all. */
  readonly mistakes: readonly Mistake[];
  readonly mistakeCount: number;
  /** Verdicts with the product's reasons, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** What the product counts of its own decisions, over all effects, marked or not. */
  readonly counters: AttributionCounters;
  /** The recording that shows the mistakes. */
  readonly keptRecording: string | null;
  /** Events that were lost while recording, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  readonly probeHitsPerRequest: number;
  readonly eventsPerRequest: number;
  readonly eventsByKind: Readonly<Record<string, number>>;
  /** null where strace cannot count them here. */
  readonly systemCallsPerRequest: number | null;
  readonly cost: readonly CostRound[];
}

export interface RuntimeCost {
  readonly name: string;
  /** By request; null where strace cannot count them here. */
  readonly systemCalls: number | null;
  readonly cost: readonly CostRound[];
}

export interface Unavailable {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
}

export interface AttributionResult {
  readonly date: string;
  readonly command: string;
  readonly requestsPerCell: number;
  readonly runtimes: readonly RuntimeResult[];
  readonly unavailable: readonly Unavailable[];
}
