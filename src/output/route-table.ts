import { dropOldest } from '../base/oldest.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { isLibraryFile } from './library-files.ts';
import { routeOf } from '../base/route.ts';
import type { EffectView, LateEffectView, OrphanView, RequestView, RouteView } from './views.ts';

/** More routes than that share one row: a scanner makes new ones as long as it likes. */
const MAX_ROUTES = 1000;
const OTHER = '(other)';
/** Requests that are remembered for effects which come before or after them. */
const MAX_REMEMBERED = 20_000;

/** One row while it grows. */
class Route {
  readonly method: string;
  readonly route: string;
  readonly durations = new DurationHistogram();
  requests = 0;
  failures = 0;
  exact = 0;
  effects = 0;
  readonly counts = { exec: 0, exit: 0, open: 0, connect: 0, query: 0, action: 0 };

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }

  addEffect(effect: EffectView): void {
    if (isLibraryFile(effect)) return;
    this.counts[effect.type]++;
    this.effects++;
    if (effect.grade === 'exact') this.exact++;
  }

  view(): RouteView {
    const { exec, open, connect, query } = this.counts;
    return {
      kind: 'route',
      method: this.method,
      route: this.route,
      requests: this.requests,
      failures: this.failures,
      p50Ms: this.durations.percentile(0.5),
      p99Ms: this.durations.percentile(0.99),
      execs: exec,
      files: open,
      connects: connect,
      queries: query,
      exactShare: this.effects === 0 ? null : this.exact / this.effects,
    };
  }
}

/** What `trace --summary` counts: requests by route, with what they did. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #routeOfRequest = new Map<string, Route>();
  /** Unplaced effects of requests that are not over yet. */
  readonly #unplaced = new Map<string, number>();
  requestCount = 0;

  get routeCount(): number {
    return this.#routes.size;
  }

  add(message: RequestView | LateEffectView | OrphanView): void {
    switch (message.kind) {
      case 'request':
        this.#addRequest(message);
        break;
      case 'effect':
        this.#routeOfRequest.get(message.request)?.addEffect(message.effect);
        break;
      case 'orphan':
        if (!isLibraryFile(message.effect)) for (const id of message.candidates) this.#addUnplaced(id);
        break;
    }
  }

  /** The rows, those with the most requests first. */
  rows(): RouteView[] {
    return [...this.#routes.values()]
      .map((route) => route.view())
      .sort((a, b) => b.requests - a.requests || (a.route < b.route ? -1 : 1));
  }

  #addRequest(request: RequestView): void {
    const route = this.#routeFor(request);
    this.requestCount++;
    route.requests++;
    if (request.status === null || request.status >= 500) route.failures++;
    if (request.durationMs !== null && request.status !== null) route.durations.add(request.durationMs);
    for (const effect of request.effects) route.addEffect(effect);
    route.effects += this.#unplaced.get(request.id) ?? 0;
    this.#unplaced.delete(request.id);
    this.#routeOfRequest.set(request.id, route);
    if (this.#routeOfRequest.size > MAX_REMEMBERED) dropOldest(this.#routeOfRequest);
  }

  #routeFor({ method, target }: RequestView): Route {
    const path = routeOf(target);
    const key = `${method} ${path}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    if (this.#routes.size >= MAX_ROUTES) return this.#otherRoute();
    const route = new Route(method, path);
    this.#routes.set(key, route);
    return route;
  }

  #otherRoute(): Route {
    const other = this.#routes.get(OTHER) ?? new Route('*', OTHER);
    this.#routes.set(OTHER, other);
    return other;
  }

  #addUnplaced(id: string): void {
    const route = this.#routeOfRequest.get(id);
    if (route !== undefined) {
      route.effects++;
      return;
    }
    this.#unplaced.set(id, (this.#unplaced.get(id) ?? 0) + 1);
    if (this.#unplaced.size > MAX_REMEMBERED) dropOldest(this.#unplaced);
  }
}
