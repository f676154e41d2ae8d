/** One event of so many is measured: rules cost less than to look at a clock. A prime, so that no rhythm of events meets it. */
const EVERY = 1021;

/**
 * Longer is not what rules take: the thread was off the processor, or garbage was collected. Once would be as much as all rules
 * take in a minute.
 */
const MAX_MS = 0.1;

/** Looks at the clock so often to know what that takes. */
const CALIBRATIONS = 32;

/** Measures what rules take on few events, and nothing on the others. */
export class Sampling {
  /** The current event is measured. */
  isOn = false;
  readonly #now: (() => number) | null;
  #clockMs: number | null = null;
  #left: number;

  /**
   * @param now milliseconds, with fractions; null: nothing is measured
   * @param isShifted measures other events than one that is not: what is measured inside of it would be measured, too
   */
  constructor(now: (() => number) | null, isShifted = false) {
    this.#now = now;
    this.#left = isShifted ? EVERY >> 1 : EVERY;
  }

  /** The next event. @returns isOn */
  next(): boolean {
    if (this.isOn) this.isOn = false;
    if (--this.#left > 0) return false;
    this.#left = EVERY;
    this.isOn = this.#now !== null;
    return this.isOn;
  }

  /** Milliseconds of a measurement, which stands for those of all events. */
  timed<Result>(run: () => Result, add: (ms: number) => void): Result {
    const now = this.#now;
    if (now === null) return run();
    const clockMs = (this.#clockMs ??= calibrate(now));
    const start = now();
    const result = run();
    add(Math.min(MAX_MS, Math.max(0, now() - start - clockMs)) * EVERY);
    return result;
  }
}

function calibrate(now: () => number): number {
  let least = Infinity;
  for (let count = 0; count < CALIBRATIONS; count++) {
    const start = now();
    least = Math.min(least, now() - start);
  }
  return least;
}
