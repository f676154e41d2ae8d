import type { ServerReport } from './http-servers/listen.ts';

/** What a server did in a short while, with the agent's programs looking or leaving at once. */
export interface ServerWindow extends ServerReport {
  /** null where it changed in the middle. */
  readonly isObserved: boolean | null;
}

/** A change so soon after a window has begun is one before it. */
const TOLERANCE_MS = 5;

/**
 * The state in which each window passed: whoever switches is told of a window's end by a message, which may come late.
 *
 * @param switches the newest last
 */
export function labelWindows(
  reports: readonly ServerReport[],
  switches: readonly { readonly atMs: number; readonly isOn: boolean }[],
): ServerWindow[] {
  return reports.map((report) => {
    const before = switches.findLast(({ atMs }) => atMs <= report.fromMs + TOLERANCE_MS);
    const isSteady = !switches.some(({ atMs }) => atMs > report.fromMs + TOLERANCE_MS && atMs < report.toMs);
    return { ...report, isObserved: before !== undefined && isSteady ? before.isOn : null };
  });
}

export interface Estimate {
  readonly median: number;
  /** 95 % confidence interval of the median, by order statistics. */
  readonly low: number;
  readonly high: number;
}

export interface WindowComparison {
  /** Observed windows that were compared. */
  readonly count: number;
  /** Processor time of one request, in us, in windows that were not observed. */
  readonly withoutUs: number;
  /** What an observed request takes of it more, in us. */
  readonly addedUs: Estimate;
  /** Requests per second, observed / not. */
  readonly rate: Estimate;
}

/**
 * Compares each observed window with the mean of its two neighbours, which were not observed: a machine whose speed drifts
 * within seconds, as one does that shares its caches with strangers, changes all three alike.
 */
export function compareWindows(windows: readonly ServerWindow[]): WindowComparison {
  const added: number[] = [];
  const rates: number[] = [];
  for (const [index, window] of windows.entries()) {
    const [before, after] = [windows[index - 1], windows[index + 1]];
    if (window.isObserved !== true || before?.isObserved !== false || after?.isObserved !== false) continue;
    added.push(costOf(window) - (costOf(before) + costOf(after)) / 2);
    rates.push((2 * rateOf(window)) / (rateOf(before) + rateOf(after)));
  }
  const quiet = windows.filter(({ isObserved }) => isObserved === false).map(costOf);
  return {
    count: added.length,
    withoutUs: estimate(quiet).median,
    addedUs: estimate(added),
    rate: estimate(rates),
  };
}

function costOf({ processorUs, requests }: ServerWindow): number {
  return processorUs / requests;
}

function rateOf({ requests, fromMs, toMs }: ServerWindow): number {
  return requests / (toMs - fromMs);
}

/** NaN for no values. */
function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  // The ranks n/2 -+ 1.96 sqrt(n)/2 enclose the median with 95 %: it is a binomial distribution.
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: at(middle), low: at(middle - reach), high: at(middle + reach) };
}
