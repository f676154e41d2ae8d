import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../base/errors.ts';
import type { EngineMessage, EngineOptions, RuleText, RunSummary } from '../cli/contract.ts';
import type { RuleMatching } from '../rules/rule-set.ts';
import type { RuleSelection } from '../rules/selection.ts';

/** What the main thread hands to the sensor worker. */
export interface WorkerInput {
  readonly options: Omit<EngineOptions, 'signal' | 'rules' | 'alerts'>;
  /** One number: not zero when the run is to end. Shared, since the worker never waits for messages. */
  readonly stop: Int32Array;
  /** Takes ids of containers and gives what their runtimes tell of them; null for recordings. */
  readonly containers: MessagePort | null;
  /** Takes questions for hashes of executables and gives the answers; null where nobody asks, and for recordings. */
  readonly hashes: MessagePort | null;
  /** Rules that raise alerts; null: none. */
  readonly rules: WorkerRules | null;
  readonly root: string;
  readonly version: string;
}

export interface WorkerRules {
  readonly files: readonly RuleText[];
  readonly matching: RuleMatching;
  readonly selections: readonly RuleSelection[];
  /** Gives lists of files that take the place of those before. */
  readonly changes: MessagePort;
}

/** What the worker posts, batched: a message for each event would be the bottleneck. */
export type WorkerPost =
  | { readonly type: 'messages'; readonly messages: readonly EngineMessage[] }
  | { readonly type: 'done'; readonly summary: RunSummary }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly detail: string }
  /** The rules have errors: nothing was started. A line each, not safe to print. */
  | { readonly type: 'refused'; readonly problems: readonly string[] }
  /** Something odd that does not end the run. */
  | { readonly type: 'warning'; readonly text: string };
