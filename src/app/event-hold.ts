import type { ExecutableFile } from '../model/executable.ts';
import type { EventView } from '../output/views.ts';

/** So long an event waits for the hash of its program at most, and with it all that come behind it. */
const WAIT_NS = 500_000_000;
const MAX_HELD = 10_000;

interface Held {
  readonly view: EventView;
  /** Of the program that the event starts; null for other events. */
  readonly file: ExecutableFile | null;
  readonly untilNs: number;
}

/** Keeps events until the hashes of the programs that they start are known, for a moment at most, in their order. */
export class EventHold {
  readonly #emit: (view: EventView) => void;
  /** Those from #first on are held. */
  #held: Held[] = [];
  #first = 0;

  constructor(emit: (view: EventView) => void) {
    this.#emit = emit;
  }

  add(view: EventView, file: ExecutableFile | null): void {
    this.#held.push({ view, file, untilNs: view.timeNs + WAIT_NS });
    this.tick(view.timeNs);
  }

  tick(nowNs: number): void {
    for (let next = this.#held[this.#first]; next !== undefined; next = this.#held[this.#first]) {
      const { view, file, untilNs } = next;
      const isFull = this.#held.length - this.#first > MAX_HELD;
      if (file !== null && file.hash === null && nowNs < untilNs && !isFull) break;
      const hash = file?.hash ?? null;
      this.#emit(view.type === 'exec' && hash !== null ? { ...view, hash } : view);
      this.#first++;
    }
    if (this.#first < this.#held.length / 2) return;
    this.#held = this.#held.slice(this.#first);
    this.#first = 0;
  }
}
