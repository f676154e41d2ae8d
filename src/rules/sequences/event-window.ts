/** Counts the events of the latest time, up to a limit. What it holds is at most one more than the limit. */
export interface EventWindow {
  /**
   * @param value by which events are told apart, where they are
   * @returns whether there are now more than the limit within the time that ends with this event
   */
  add(timeNs: number, value: string): boolean;
  /** Of the oldest event that counts. */
  readonly oldestNs: number;
}

export function eventWindow(moreThan: number, withinNs: number, isDistinct: boolean): EventWindow {
  return isDistinct ? new DistinctWindow(moreThan, withinNs) : new PlainWindow(moreThan, withinNs);
}

/** Times of the newest events, in a ring that grows with them. */
class PlainWindow implements EventWindow {
  readonly #size: number;
  readonly #withinNs: number;
  readonly #times: number[] = [];
  /** Place of the oldest. */
  #start = 0;

  constructor(moreThan: number, withinNs: number) {
    this.#size = moreThan + 1;
    this.#withinNs = withinNs;
  }

  get oldestNs(): number {
    return this.#times[this.#start] ?? 0;
  }

  add(timeNs: number): boolean {
    const times = this.#times;
    if (times.length < this.#size) times.push(timeNs);
    else {
      times[this.#start] = timeNs;
      this.#start = (this.#start + 1) % this.#size;
    }
    return times.length === this.#size && timeNs - this.oldestNs <= this.#withinNs;
  }
}

/** When each value came last, the oldest first. Mostly there is one, for which a Map would be much. */
class DistinctWindow implements EventWindow {
  readonly #moreThan: number;
  readonly #withinNs: number;
  #only: string | null = null;
  #onlyNs = 0;
  /** null as long as there is one. */
  #times: Map<string, number> | null = null;

  constructor(moreThan: number, withinNs: number) {
    this.#moreThan = moreThan;
    this.#withinNs = withinNs;
  }

  get oldestNs(): number {
    return this.#times === null ? this.#onlyNs : (this.#times.values().next().value ?? 0);
  }

  add(timeNs: number, value: string): boolean {
    if (this.#times === null) {
      const isOnly = this.#only === null || this.#only === value || timeNs - this.#onlyNs > this.#withinNs;
      if (isOnly) {
        this.#only = value;
        this.#onlyNs = timeNs;
        return this.#moreThan < 1;
      }
      this.#times = new Map([[this.#only ?? '', this.#onlyNs]]);
    }
    const times = this.#times;
    times.delete(value);
    times.set(value, timeNs);
    for (const [oldest, lastNs] of times) {
      if (timeNs - lastNs <= this.#withinNs && times.size <= this.#moreThan + 1) break;
      times.delete(oldest);
    }
    return times.size > this.#moreThan;
  }
}
