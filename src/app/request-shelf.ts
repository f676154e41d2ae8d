import type { Request } from '../model/request.ts';

/** Effects of a request may come after its reply: so long it is held back. */
const SETTLE_NS = 250_000_000;
const MAX_HELD = 50_000;

/** Holds finished requests until their effects have settled, then shows them in the order in which they finished. */
export class RequestShelf {
  readonly #show: (request: Request) => void;
  #held: Request[] = [];
  #first = 0;
  readonly #shown = new WeakSet<Request>();

  constructor(show: (request: Request) => void) {
    this.#show = show;
  }

  put(request: Request): void {
    this.#held.push(request);
    if (this.#held.length - this.#first > MAX_HELD) this.#take();
  }

  wasShown(request: Request): boolean {
    return this.#shown.has(request);
  }

  tick(nowNs: number): void {
    for (;;) {
      const next = this.#held[this.#first];
      if (next === undefined || (next.endedNs ?? 0) + SETTLE_NS > nowNs) return;
      this.#take();
    }
  }

  flush(): void {
    while (this.#first < this.#held.length) this.#take();
  }

  #take(): void {
    const request = this.#held[this.#first];
    this.#first++;
    if (this.#first > 1024) {
      this.#held = this.#held.slice(this.#first);
      this.#first = 0;
    }
    if (request === undefined) return;
    this.#shown.add(request);
    this.#show(request);
  }
}
