import type { Fact } from '../model/event.ts';
import type { Detection, Evidence } from '../model/finding.ts';

export type BlindFact = Extract<Fact, { kind: 'blind' }>;

/** Findings come at most so often, each with all that was lost since the one before. */
const PAUSE_NS = 1_000_000_000;
/** Containers that one finding names; all others together are one. */
const MAX_SUBJECTS = 16;

interface Spot {
  readonly reason: BlindFact['reason'];
  readonly what: BlindFact['what'];
  readonly container: string | null;
  readonly cgroupId: number;
  events: number;
  fromNs: number;
  untilNs: number;
}

/** Joins what was lost of security events into findings: whoever floods the host must not blind it unnoticed. */
export class BlindSpots {
  readonly #emit: (detection: Detection, timeNs: number) => void;
  readonly #spots = new Map<string, Spot>();
  #toldNs = -Infinity;

  constructor(emit: (detection: Detection, timeNs: number) => void) {
    this.#emit = emit;
  }

  /** @param container id of the container that the cgroup belongs to, null for none */
  lost(fact: BlindFact, container: string | null): void {
    const subject = container ?? `cgroup ${fact.cgroupId}`;
    const whole = `${fact.reason} ${fact.what ?? ''} ${subject}`;
    const key = this.#spots.size < MAX_SUBJECTS || this.#spots.has(whole) ? whole : fact.reason;
    const known = this.#spots.get(key);
    if (known === undefined) {
      const isNamed = key === whole;
      this.#spots.set(key, {
        reason: fact.reason,
        what: isNamed ? fact.what : undefined,
        container: isNamed ? container : null,
        cgroupId: isNamed ? fact.cgroupId : 0,
        events: fact.events,
        fromNs: fact.fromNs,
        untilNs: fact.untilNs,
      });
      return;
    }
    known.events += fact.events;
    known.fromNs = Math.min(known.fromNs, fact.fromNs);
    known.untilNs = Math.max(known.untilNs, fact.untilNs);
  }

  tick(nowNs: number): void {
    if (this.#spots.size === 0 || nowNs - this.#toldNs < PAUSE_NS) return;
    this.#toldNs = nowNs;
    const spots = [...this.#spots.values()].sort((a, b) => b.events - a.events);
    this.#spots.clear();
    this.#emit(detectionOf(spots), Math.min(...spots.map(({ fromNs }) => fromNs)));
  }
}

function detectionOf(spots: readonly Spot[]): Detection {
  const first = Math.min(...spots.map(({ fromNs }) => fromNs));
  const last = Math.max(...spots.map(({ untilNs }) => untilNs));
  const events = spots.reduce((sum, spot) => sum + spot.events, 0);
  const what = spots.every((spot) => spot.what === spots[0]?.what) ? spots[0]?.what : undefined;
  const [worst] = spots;
  const rest = spots.length > 1 ? ` and ${spots.length - 1} more` : '';
  const why = worst === undefined ? '' : ` (${reasonText(worst)}${rest})`;
  return {
    detector: 'blind-spots',
    verdict: 'SUSPICIOUS',
    class: 'blind',
    // Without room in the ring anything may be among what was lost; a budget that is used up costs one cgroup its flood.
    severity: spots.some(({ reason }) => reason === 'security-ring-full') ? 'high' : 'medium',
    title: `Blind for ${millisecondsText(last - first)}: ${countText(events, what)} lost${why}`,
    cwe: [],
    // Impair Defenses: Indicator Blocking.
    attack: ['T1562.006'],
    request: null,
    effect: null,
    evidence: spots.map(evidenceOf),
  };
}

function evidenceOf(spot: Spot): Evidence {
  return {
    source: subjectText(spot),
    value: String(spot.events),
    sink: null,
    sinkValue: null,
    offset: -1,
    note: `${countText(spot.events, spot.what)} lost in ${millisecondsText(spot.untilNs - spot.fromNs)}: ${reasonText(spot)}`,
  };
}

function reasonText(spot: Spot): string {
  if (spot.reason === 'program-runs-left-out')
    return 'at most: the kernel left out so many runs of our programs, which it had interrupted';
  if (spot.reason === 'security-ring-full') return 'no room in the security ring';
  const isOne = spot.container !== null || spot.cgroupId !== 0;
  return isOne ? `${subjectText(spot)} had used up its budget` : 'other cgroups had used up their budgets';
}

function subjectText({ container, cgroupId }: Spot): string {
  if (container !== null) return `container ${container}`;
  return cgroupId === 0 ? 'host' : `cgroup ${cgroupId}`;
}

function millisecondsText(durationNs: number): string {
  return `${Math.max(1, Math.round(durationNs / 1e6)).toLocaleString('en-US')} ms`;
}

function countText(count: number, what: BlindFact['what']): string {
  const kind = what === undefined ? '' : `${what} `;
  return `${count.toLocaleString('en-US')} ${kind}${count === 1 ? 'event' : 'events'}`;
}
