import type { CellResult, RuntimeResult } from './cell.ts';
import type { CostRound } from './cost.ts';
import type { EffectKind } from './effect-kind.ts';
import { number } from './format.ts';
import type { Carry } from './mark.ts';
import { sumOf, type Tally } from './tally.ts';

/** What is told of one runtime, and kept for the document: its loads added up by requests at once. */
export interface RuntimeFigures {
  readonly name: string;
  readonly title: string;
  readonly origin: Origin;
  readonly effects: readonly EffectFigures[];
  /** By request that does its work; null where they cannot be counted. */
  readonly probeHits: number;
  readonly systemCalls: number | null;
  readonly events: number;
  readonly eventsByKind: Readonly<Record<string, number>>;
  readonly cost: readonly CostRound[];
  /** Of system calls and cost, where these were kept from an earlier run. */
  readonly costOrigin?: Origin;
  /** What the figures do not say: whoever reads them must not miss it. */
  readonly remarks: readonly string[];
}

/** When, how and where it was measured. */
export interface Origin {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  /** Of each load, at the least. */
  readonly requests: number;
}

export interface EffectFigures {
  readonly kind: EffectKind;
  /** Lowest first. */
  readonly loads: readonly LoadFigures[];
  /** What two simple ways would have said. */
  readonly thread: Tally;
  readonly inFlight: Tally;
}

/** All loads of so many requests at once, by whether the bytes of the request could help. */
export type LoadFigures = Readonly<Record<Carry, Tally>> & { readonly concurrency: number };

export function figuresOf(result: RuntimeResult, origin: Origin): RuntimeFigures {
  const { name, title, cells, cost } = result;
  return {
    name,
    title,
    origin,
    effects: result.kinds.map((kind) => ({
      kind,
      loads: loadsOf(cells, kind),
      thread: sumOf(cells.map(({ baselines }) => baselines.thread[kind])),
      inFlight: sumOf(cells.map(({ baselines }) => baselines.inFlight[kind])),
    })),
    probeHits: result.probeHitsPerRequest,
    systemCalls: result.systemCallsPerRequest,
    events: result.eventsPerRequest,
    eventsByKind: result.eventsByKind,
    cost,
    remarks: remarksOn(result),
  };
}

function loadsOf(cells: readonly CellResult[], kind: EffectKind): LoadFigures[] {
  const concurrencies = [...new Set(cells.map(({ concurrency }) => concurrency))].toSorted((a, b) => a - b);
  return concurrencies.map((concurrency) => {
    const chosen = cells.filter((cell) => cell.concurrency === concurrency);
    const tally = (carry: Carry): Tally => sumOf(chosen.map(({ verdicts }) => verdicts[carry][kind]));
    return { concurrency, plain: tally('plain'), reversed: tally('reversed') };
  });
}

function remarksOn({ cells, losses, counters, mistakeCount, mistakes }: RuntimeResult): string[] {
  const remarks = cells
    .filter(({ failed }) => failed > 0)
    .map(
      ({ concurrency, keepAlive, requests, failed, failure }) =>
        `${concurrency} at once, ${keepAlive ? 'keep-alive' : 'close'}: ${failed} of ${requests} requests failed ` +
        `and are not judged (${failure})`,
    );
  const lost = Object.entries(losses).map(([reason, count]) => `${reason} ${number(count)}`);
  if (lost.length > 0) remarks.push(`events were lost: ${lost.join(', ')}`);
  if (counters.contentSkipped > 0)
    remarks.push(
      `${number(counters.contentSkipped)} effects were not searched for the bytes of requests: too many were in flight`,
    );
  const [first] = mistakes;
  if (first !== undefined)
    remarks.push(
      `${number(mistakeCount)} WRONG or misled, the first: ${first.kind} of ${first.id}, ${first.grade}, ` +
        `blamed ${first.blamed.slice(0, 3).join(', ') || 'nobody'} (${first.reason})`,
    );
  return remarks;
}
