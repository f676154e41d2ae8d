import type { AlertLimit } from '../../cli/contract.ts';

/** More than any host wants to read, and little enough for a file, a listener and a reader to live with. */
export const DEFAULT_ALERT_LIMIT: AlertLimit = { count: 1000, perNs: 60e9 };

/** Between two words about the same rule. */
const TELL_NS = 60e9;

interface Bucket {
  tokens: number;
  filledNs: number;
  heldBack: number;
  /** Of those, what was told. */
  toldCount: number;
  toldNs: number;
}

/**
 * A bucket of tokens for each rule: a rule that raises an alert for everything drowns nothing but itself. It goes by the time of
 * the events, so that a recording gives the same alerts as the run that it was made in.
 */
export class AlertLimiter {
  readonly #limit: AlertLimit;
  readonly #warn: (text: string) => void;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: AlertLimit, warn: (text: string) => void) {
    this.#limit = limit;
    this.#warn = warn;
  }

  /** Whether a rule may raise an alert now; counts it where it may not. */
  admits(rule: string, timeNs: number): boolean {
    const { count, perNs } = this.#limit;
    if (count === Infinity) return true;
    const bucket = this.#bucketOf(rule, timeNs);
    // Events of several processors come nearly in order: time never goes back here.
    const elapsedNs = Math.max(0, timeNs - bucket.filledNs);
    bucket.tokens = Math.min(count, bucket.tokens + (elapsedNs * count) / perNs);
    bucket.filledNs = Math.max(bucket.filledNs, timeNs);
    const isAdmitted = bucket.tokens >= 1;
    if (isAdmitted) bucket.tokens--;
    else bucket.heldBack++;
    if (bucket.heldBack > bucket.toldCount) this.#tell(rule, bucket, timeNs);
    return isAdmitted;
  }

  heldBackOf(rule: string): number {
    return this.#buckets.get(rule)?.heldBack ?? 0;
  }

  get heldBack(): number {
    let sum = 0;
    for (const bucket of this.#buckets.values()) sum += bucket.heldBack;
    return sum;
  }

  #bucketOf(rule: string, timeNs: number): Bucket {
    let bucket = this.#buckets.get(rule);
    if (bucket === undefined) {
      bucket = { tokens: this.#limit.count, filledNs: timeNs, heldBack: 0, toldCount: 0, toldNs: -Infinity };
      this.#buckets.set(rule, bucket);
    }
    return bucket;
  }

  #tell(rule: string, bucket: Bucket, timeNs: number): void {
    if (timeNs - bucket.toldNs < TELL_NS) return;
    const count = bucket.heldBack - bucket.toldCount;
    const what =
      bucket.toldCount === 0
        ? 'raises more alerts than --alert-limit lets through: those beyond are held back, and counted'
        : `had ${count.toLocaleString('en-US')} more alerts held back`;
    bucket.toldCount = bucket.heldBack;
    bucket.toldNs = timeNs;
    this.#warn(`rule '${rule}' ${what}`);
  }
}
