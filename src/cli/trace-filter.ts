import type { EffectType } from '../model/effect.ts';
import type { LateEffectView, OrphanView, RequestView } from '../output/views.ts';

export interface TraceFilterOptions {
  /** Beginning of the request target. */
  readonly path: string | null;
  /** Server process. */
  readonly pid: number | null;
  /** Beginning of the container id. */
  readonly container: string | null;
  /** Only requests with an effect of this type. */
  readonly has: EffectType | null;
}

/** Ids of requests that were printed lately, for effects that come after them. */
const MAX_REMEMBERED = 10_000;

/** Which requests, and which effects outside their trees, `trace` prints. */
export class TraceFilter {
  readonly #options: TraceFilterOptions;
  readonly #printed = new Set<string>();

  constructor(options: TraceFilterOptions) {
    this.#options = options;
  }

  /** Whether to print the request. Remembers those that are. */
  acceptsRequest(request: RequestView): boolean {
    const { path, pid, container, has } = this.#options;
    if (path !== null && !request.target.startsWith(path)) return false;
    if (pid !== null && request.server.pid !== pid) return false;
    if (container !== null && !(request.server.container ?? '').startsWith(container)) return false;
    if (has !== null && !request.effects.some((effect) => effect.type === has)) return false;
    this.#remember(request.id);
    return true;
  }

  /** Effects that came late are shown where their request was. */
  acceptsLateEffect(late: LateEffectView): boolean {
    return this.#printed.has(late.request);
  }

  acceptsOrphan(orphan: OrphanView): boolean {
    const { path, pid, container, has } = this.#options;
    const { effect, process } = orphan;
    if (path !== null && !orphan.candidates.some((id) => this.#printed.has(id))) return false;
    const pids = [process.pid, effect.ppid, ...process.ancestors.map((ancestor) => ancestor.pid)];
    if (pid !== null && !pids.includes(pid)) return false;
    if (container !== null && !(process.container ?? '').startsWith(container)) return false;
    return has === null || effect.type === has;
  }

  #remember(id: string): void {
    this.#printed.add(id);
    if (this.#printed.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#printed) {
      this.#printed.delete(oldest);
      break;
    }
  }
}
