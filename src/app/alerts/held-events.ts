import type { ExecutableFile } from '../../model/executable.ts';
import type { RuleEvent } from '../../rules/event.ts';
import type { Parts } from '../../rules/timely-rules.ts';

/** So long an event waits for the hash of its program at most. */
const WAIT_NS = 1_000_000_000;
const MAX_HELD = 2048;

/** An event on which some rules cannot be run yet. */
export interface HeldEvent {
  /** Stays as it is. */
  readonly event: RuleEvent;
  /** The program whose hash it waits for; null: it waits for nothing but the events before it. */
  readonly file: ExecutableFile | null;
  /** What of the rules waits. */
  readonly parts: Parts;
}

/**
 * Events on which rules wait for the hash of a program. They leave in the order in which they came, so that rules over several
 * events see them as they happened: an event whose hash is known waits for those before it.
 */
export class HeldEvents {
  readonly #release: (held: HeldEvent) => void;
  readonly #held: HeldEvent[] = [];

  constructor(release: (held: HeldEvent) => void) {
    this.#release = release;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  add(held: HeldEvent): void {
    if (this.#held.length >= MAX_HELD) this.#releaseFirst();
    this.#held.push(held);
  }

  tick(nowNs: number): void {
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) {
      const { event, file } = first;
      if (file !== null && file.hash === null && nowNs < event.timeNs + WAIT_NS) return;
      this.#releaseFirst();
    }
  }

  /** Nothing waits any longer. */
  flush(): void {
    this.tick(Infinity);
  }

  #releaseFirst(): void {
    const first = this.#held.shift();
    if (first !== undefined) this.#release(first);
  }
}
