import { dropOldest } from '../../base/oldest.ts';
import { isNoise } from '../routine-effects.ts';
import type {
  EffectView,
  ExecEffectView,
  LateEffectView,
  OrphanView,
  RequestSummaryView,
  RequestView,
} from '../views.ts';
import { orphansText } from './orphan-text.ts';
import { requestTree, requestTreeText, shortRequestText, type RequestTextOptions } from './request-text.ts';
import { RequestTrees, type RequestTree } from './request-trees.ts';
import type { Terminal } from './terminal.ts';
import { clipped } from './width.ts';

export type TraceMessage = RequestView | LateEffectView | OrphanView;

/** Requests that are remembered, for effects that come after them. */
const MAX_REMEMBERED = 10_000;
/** Effects of a block are waited for so long, in the time of the messages. */
const SETTLE_MS = 1000;
const MAX_HELD = 5000;

/** A request that was shown, and the programs that it started and that still run: what they do later is read below them. */
interface Shown {
  readonly summary: RequestSummaryView;
  readonly running: Map<number, ExecEffectView>;
}

/** Effects that are shown together: of one request that was shown, or of one process and no request. */
interface Block<Item> {
  readonly items: Item[];
  readonly sinceMs: number;
  /** How often the clock has ticked since the first. */
  ticks: number;
}

/**
 * The trace as a reader sees it: each request with its tree at once, those of a proxy with what is behind it; what came late, and what could not be placed, as
 * blocks of their own, a moment later. Pure: gives the text that is to be written now, '' for none.
 */
export class TraceView {
  readonly #terminal: Terminal;
  readonly #options: RequestTextOptions;
  readonly #requests = new Map<string, Shown>();
  readonly #late = new Map<string, Block<LateEffectView>>();
  readonly #orphans = new Map<string, Block<OrphanView>>();
  readonly #trees = new RequestTrees();
  #held = 0;
  #nowMs = 0;

  constructor(terminal: Terminal, options: RequestTextOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  add(message: TraceMessage): string {
    switch (message.kind) {
      case 'request': {
        this.#remember(message);
        this.#advance(Date.parse(message.startedAt) + (message.durationMs ?? 0));
        return this.#treesText(this.#trees.add(message, this.#nowMs)) + this.#due();
      }
      case 'effect':
        this.#hold(this.#late, message.request, message);
        return this.#due();
      case 'orphan':
        this.#hold(this.#orphans, String(message.process.pid), message);
        return this.#due();
    }
  }

  /** About a second has passed: what waits for others that do not come is shown. */
  tick(): string {
    this.#trees.tick();
    for (const blocks of [this.#late, this.#orphans]) for (const block of blocks.values()) block.ticks++;
    return this.#due();
  }

  /** Nothing follows. */
  end(): string {
    this.#nowMs = Infinity;
    return this.#due();
  }

  #remember(request: RequestView): void {
    const { effects, ...summary } = request;
    const running = new Map<number, ExecEffectView>();
    this.#requests.set(request.id, { summary, running });
    follow(running, effects);
    if (this.#requests.size > MAX_REMEMBERED) dropOldest(this.#requests);
  }

  #hold<Item extends { readonly effect: EffectView }>(
    blocks: Map<string, Block<Item>>,
    key: string,
    item: Item,
  ): void {
    const timeMs = Date.parse(item.effect.time);
    this.#advance(timeMs);
    this.#held++;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, { items: [item], sinceMs: timeMs, ticks: 0 });
    else block.items.push(item);
  }

  #advance(timeMs: number): void {
    if (timeMs > this.#nowMs) this.#nowMs = timeMs;
  }

  /** Text of the blocks that have waited long enough; of all, where too much is held. */
  #due(): string {
    const isFull = this.#held > MAX_HELD;
    const isDue = (block: Block<unknown>): boolean =>
      isFull || block.ticks > 1 || this.#nowMs - block.sinceMs > SETTLE_MS;
    let text = this.#treesText(this.#trees.due(this.#nowMs));
    for (const [key, block] of this.#late) {
      if (!isDue(block)) continue;
      this.#late.delete(key);
      this.#held -= block.items.length;
      text += this.#lateText(key, block.items);
    }
    for (const [key, block] of this.#orphans) {
      if (!isDue(block)) continue;
      this.#orphans.delete(key);
      this.#held -= block.items.length;
      text += orphansText(block.items, this.#terminal, {
        showsAll: this.#options.showsAll,
        requestOf: (id) => this.#requests.get(id)?.summary,
      });
    }
    return text;
  }

  #treesText(trees: readonly RequestTree[]): string {
    return trees
      .map(({ request, behind }) => requestTreeText(request, this.#terminal, this.#options, behind))
      .join('');
  }

  /** A short header of the request, then what it did since. */
  #lateText(id: string, late: readonly LateEffectView[]): string {
    const terminal = this.#terminal;
    const shown = this.#requests.get(id);
    const effects = late.map(({ effect }) => effect);
    const [first] = effects;
    // The end of a process of which nothing was shown says as little as a library.
    const isWorthwhile = (effect: EffectView): boolean =>
      !isNoise(effect) &&
      (effect.type !== 'exit' || effect.code !== 0 || shown?.running.has(effect.pid) === true);
    if (first === undefined || !(this.#options.showsAll || effects.some(isWorthwhile))) return '';
    const concerned = new Set(effects.flatMap(({ pid, ppid }) => [pid, ppid]));
    const programs = [...(shown?.running.values() ?? [])].filter(({ pid }) => concerned.has(pid));
    const serverPid = shown?.summary.server.pid ?? 0;
    const tree = requestTree([...programs, ...effects], serverPid, terminal, this.#options);
    if (shown !== undefined) follow(shown.running, effects);
    const heading = [
      terminal.paint('dim', terminal.timeOfDay(first.time)),
      `${terminal.paint('cyan', 'later')} ${
        shown === undefined ? terminal.safe(id, 60) : shortRequestText(shown.summary, terminal)
      }`,
    ].join('  ');
    return [clipped(heading, terminal.columns, terminal.symbols.ellipsis), ...tree]
      .map((line) => line + '\n')
      .join('');
  }
}

/** Keeps the newest program of each process that runs. */
function follow(running: Map<number, ExecEffectView>, effects: readonly EffectView[]): void {
  for (const effect of effects) {
    if (effect.type === 'exec') running.set(effect.pid, effect);
    else if (effect.type === 'exit') running.delete(effect.pid);
  }
}
