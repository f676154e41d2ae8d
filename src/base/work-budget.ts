/**
 * Bounds work whose amount clients choose: how many requests are in flight, and how many values they have, could be made to
 * cost more than the server's own work. Counted in slots of event time, which a replay repeats.
 */
export class WorkBudget {
  /** Times that work was not done. */
  refused = 0;
  readonly #units: number;
  readonly #slotNs: number;
  #slot = -1;
  #spent = 0;

  /**
   * @param units work for each slot; what one unit is, the user of the budget decides
   * @param slotNs length of a slot in nanoseconds
   */
  constructor(units: number, slotNs = 100_000_000) {
    this.#units = units;
    this.#slotNs = slotNs;
  }

  /** Whether there is room for work at this time; if so, it is paid for. The last one may overdraw. */
  spend(units: number, nowNs: number): boolean {
    const slot = Math.floor(nowNs / this.#slotNs);
    // Never back: what is late must not open an old slot again.
    if (slot > this.#slot) {
      this.#slot = slot;
      this.#spent = 0;
    }
    if (this.#spent >= this.#units) {
      this.refused++;
      return false;
    }
    this.#spent += units;
    return true;
  }
}
