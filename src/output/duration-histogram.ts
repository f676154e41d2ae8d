/** Each bucket is 2 % wider than the one before: percentiles are right within that, in bounded memory. */
const GROWTH = Math.log(1.02);

/** Durations, counted. */
export class DurationHistogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  add(ms: number): void {
    const bucket = Math.round(Math.log(Math.max(ms, 0.001)) / GROWTH);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
  }

  /** The duration that this part of them (0 to 1) does not exceed, in milliseconds; null where there are none. */
  percentile(part: number): number | null {
    let left = Math.max(1, Math.ceil(this.#count * part));
    for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Number(Math.exp(bucket * GROWTH).toPrecision(3));
    }
    return null;
  }
}
