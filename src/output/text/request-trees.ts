import { dropOldest } from '../../base/oldest.ts';
import type { RequestView } from '../views.ts';

/** The other requests of a tree are waited for so long, in the time of the messages. */
const SETTLE_MS = 1000;
const MAX_WAITING = 1000;
const MAX_TOLD = 10_000;
const MAX_DEPTH = 8;
const NOTHING: ReadonlyMap<string, RequestView> = new Map();

/** A request as it came to this host, and those as which proxies sent it on, by id. */
export interface RequestTree {
  readonly request: RequestView;
  readonly behind: ReadonlyMap<string, RequestView>;
}

interface Waiting {
  readonly request: RequestView;
  readonly sinceMs: number;
  /** How often the clock has ticked since. */
  ticks: number;
}

/** Puts the requests of proxies and those behind them together, in whatever order they come. Others pass at once. */
export class RequestTrees {
  readonly #waiting = new Map<string, Waiting>();
  /** Requests that went out: nobody waits for them any more. */
  readonly #told = new Map<string, true>();

  /** What is complete now. */
  add(request: RequestView, nowMs: number): RequestTree[] {
    if (frontOf(request) === null && !sentOnAs(request).some((id) => !this.#told.has(id)))
      return [this.#take(request)];
    this.#waiting.set(request.id, { request, sinceMs: nowMs, ticks: 0 });
    const top = this.#topOf(request);
    if (this.#isComplete(top)) return [this.#take(top)];
    if (this.#waiting.size <= MAX_WAITING) return [];
    for (const { request: oldest } of this.#waiting.values()) return [this.#take(this.#topOf(oldest))];
    return [];
  }

  /** About a second has passed. */
  tick(): void {
    for (const waiting of this.#waiting.values()) waiting.ticks++;
  }

  /** What has waited long enough for others that do not come. */
  due(nowMs: number): RequestTree[] {
    const trees: RequestTree[] = [];
    for (const [id, { request, sinceMs, ticks }] of this.#waiting)
      if (this.#waiting.has(id) && (ticks > 1 || nowMs - sinceMs > SETTLE_MS))
        trees.push(this.#take(this.#topOf(request)));
    return trees;
  }

  #topOf(request: RequestView): RequestView {
    let top = request;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const front = this.#waiting.get(frontOf(top) ?? '');
      if (front === undefined) break;
      top = front.request;
    }
    return top;
  }

  #isComplete(top: RequestView): boolean {
    const front = frontOf(top);
    return (front === null || this.#told.has(front)) && this.#hasAllBehind(top, 0);
  }

  #hasAllBehind(request: RequestView, depth: number): boolean {
    return sentOnAs(request).every((id) => {
      const behind = this.#waiting.get(id);
      if (behind === undefined) return this.#told.has(id);
      return depth >= MAX_DEPTH || this.#hasAllBehind(behind.request, depth + 1);
    });
  }

  #take(request: RequestView): RequestTree {
    this.#tell(request.id);
    const ids = sentOnAs(request);
    if (ids.length === 0) return { request, behind: NOTHING };
    const behind = new Map<string, RequestView>();
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
      const found = this.#waiting.get(id)?.request;
      if (found === undefined) continue;
      behind.set(id, found);
      this.#tell(id);
      ids.push(...sentOnAs(found));
    }
    return { request, behind };
  }

  #tell(id: string): void {
    this.#waiting.delete(id);
    this.#told.set(id, true);
    if (this.#told.size > MAX_TOLD) dropOldest(this.#told);
  }
}

/** Id of the request of the proxy that had sent this one. */
function frontOf({ forwardedFor }: RequestView): string | null {
  return forwardedFor?.through[0]?.request ?? null;
}

function sentOnAs({ effects }: RequestView): string[] {
  return effects.flatMap((effect) =>
    effect.type === 'query' && effect.servedAs !== null ? [effect.servedAs] : [],
  );
}
