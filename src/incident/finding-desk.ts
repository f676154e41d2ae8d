import { dropOldest } from '../base/oldest.ts';
import type { Effect } from '../model/effect.ts';
import type { Detection, Finding, Verdict } from '../model/finding.ts';
import { hopsOf, originOf } from '../model/hop.ts';
import type { Process } from '../model/process.ts';

/** What follows an exploit belongs to its story: so long it is waited for. */
const STORY_NS = 500_000_000;
/** A probe may turn out to have worked: so long after the reply it is held back... */
const PROBE_AFTER_REPLY_NS = 100_000_000;
/** ...and no longer than this, whatever the reply does. */
const PROBE_AT_MOST_NS = 800_000_000;
const SLOT_NS = 10_000_000;
const MAX_OPEN_CASES = 10_000;
/** A case that was reported stays silent for what comes after, within these bounds. */
const MAX_REPORTED = 20_000;
const MAX_STORY = 256;

const RANK: Readonly<Record<Verdict, number>> = { PROBED: 0, SUSPICIOUS: 1, EXPLOITED: 2, BLOCKED: 3 };

interface Case {
  readonly key: string;
  readonly subject: string;
  detection: Detection;
  readonly openedNs: number;
  dueNs: number;
}

export interface FindingDeskCounters {
  detections: number;
  findings: number;
  /** Detections that said no more than what was reported or is held. */
  merged: number;
  /** Cases that were reported early because too many were open. */
  hurried: number;
}

/**
 * Turns detections into findings: one for each request (of a proxy and what is behind it, too) and class of attack, with the strongest verdict, and with the
 * effects that followed as its story.
 */
export class FindingDesk {
  readonly counters: FindingDeskCounters = { detections: 0, findings: 0, merged: 0, hurried: 0 };
  readonly #open = new Map<string, Case>();
  /** Rank that was reported for a key, or for a request as a whole. */
  readonly #reported = new Map<string, number>();
  /** Subjects of open cases that are more than probes. */
  readonly #suspects = new Set<string>();
  readonly #wallMs: (timeNs: number) => number;
  readonly #emit: (finding: Finding) => void;
  #session = 'finding';
  /** The cases were last looked through in this slot of time. */
  #slot = -1;

  constructor(wallMs: (timeNs: number) => number, emit: (finding: Finding) => void) {
    this.#wallMs = wallMs;
    this.#emit = emit;
  }

  /** Prefix of finding ids, so that they are unique over restarts. */
  setSession(session: string): void {
    this.#session = session;
  }

  detected(detection: Detection, nowNs: number): void {
    this.counters.detections++;
    const subject = subjectOf(detection);
    const key = keyOf(subject, detection);
    const rank = RANK[detection.verdict];
    if (rank <= (this.#reported.get(key) ?? -1)) {
      this.counters.merged++;
      return;
    }
    if (rank > 0) this.#suspects.add(subject);
    const dueNs = nowNs + (rank === 0 ? PROBE_AT_MOST_NS : STORY_NS);
    const known = this.#open.get(key);
    if (known === undefined) {
      if (this.#open.size >= MAX_OPEN_CASES) this.#hurryOldest();
      this.#open.set(key, { key, subject, detection, openedNs: nowNs, dueNs });
      return;
    }
    this.counters.merged++;
    const difference = rank - RANK[known.detection.verdict];
    if (difference > 0) {
      known.detection = detection;
      known.dueNs = dueNs;
    } else if (difference === 0 && isBehind(detection, known.detection)) known.detection = detection;
  }

  /** A finding of its own, that nothing follows and nothing is joined with. */
  announce(detection: Detection, timeNs: number): void {
    this.counters.detections++;
    this.counters.findings++;
    this.#emit({
      ...detection,
      id: this.#nextId(),
      timeMs: this.#wallMs(timeNs),
      story: [],
      actions: [],
    });
  }

  #nextId(): string {
    return `${this.#session}-f${this.counters.findings.toString(36)}`;
  }

  /**
   * Reports what is due, in the order of being due. Due times are rounded up to slots, so that how often time is told
   * makes no difference, and that many open cases are not looked through for every event.
   */
  tick(nowNs: number): void {
    const slot = Math.floor(nowNs / SLOT_NS);
    if (slot === this.#slot && nowNs !== Infinity) return;
    this.#slot = slot;
    let due: Case[] | null = null;
    for (const one of this.#open.values())
      if (Math.ceil(dueTime(one) / SLOT_NS) <= slot) (due ??= []).push(one);
    if (due === null) return;
    for (const one of due.sort((a, b) => dueTime(a) - dueTime(b))) this.#report(one);
  }

  #hurryOldest(): void {
    for (const oldest of this.#open.values()) {
      this.counters.hurried++;
      this.#report(oldest);
      return;
    }
  }

  #report(one: Case): void {
    this.#open.delete(one.key);
    const { detection } = one;
    const rank = RANK[detection.verdict];
    // That a proxy had sent the request may have turned out since.
    const subject = subjectOf(detection);
    const key = keyOf(subject, detection);
    if (rank > 0) this.#suspects.delete(one.subject);
    if (key !== one.key && this.#takesUp(key, one)) return;
    // A probe of another class in a request that was exploited is part of the same attack, told by its story.
    if (rank === 0 && ((this.#reported.get(subject) ?? -1) > 0 || this.#suspects.has(subject))) {
      this.counters.merged++;
      return;
    }
    this.#remember(key, rank);
    this.#remember(subject, rank);
    this.counters.findings++;
    this.#emit({
      ...detection,
      id: this.#nextId(),
      timeMs: this.#wallMs(detection.effect?.timeNs ?? detection.request?.startedNs ?? one.openedNs),
      story: storyOf(detection),
      actions: [],
    });
  }

  /** A case of a request that turned out to be part of another one: whether that one's case says it, or has said it. */
  #takesUp(key: string, one: Case): boolean {
    const rank = RANK[one.detection.verdict];
    const known = this.#open.get(key);
    const isSaid = rank <= (this.#reported.get(key) ?? -1);
    if (known === undefined && !isSaid) return false;
    this.counters.merged++;
    if (known !== undefined && !isSaid && rank >= RANK[known.detection.verdict])
      known.detection = one.detection;
    return true;
  }

  #remember(key: string, rank: number): void {
    this.#reported.set(key, Math.max(rank, this.#reported.get(key) ?? -1));
    if (this.#reported.size > MAX_REPORTED) dropOldest(this.#reported);
  }
}

function dueTime(one: Case): number {
  if (one.detection.verdict !== 'PROBED') return one.dueNs;
  const endedNs = one.detection.request?.endedNs ?? null;
  return endedNs === null ? one.dueNs : Math.min(one.dueNs, endedNs + PROBE_AFTER_REPLY_NS);
}

/**
 * What findings are counted by: the request as it came to this host, which a proxy and the application behind it both
 * serve, or the process where none is known.
 */
function subjectOf(detection: Detection): string {
  if (detection.request !== null) return originOf(detection.request).id;
  return detection.effect === null
    ? ''
    : `process ${detection.effect.pid}/${detection.effect.process.startTicks}`;
}

function keyOf(subject: string, detection: Detection): string {
  return `${subject} ${detection.class}`;
}

/** Of the requests of a proxy and of the application, the one that has the effects says more. */
function isBehind({ request }: Detection, { request: front }: Detection): boolean {
  return request !== null && front !== null && hopsOf(request).some((hop) => hop.front === front);
}

/** The decisive effect and what the same processes and their descendants did after it. */
function storyOf(detection: Detection): readonly Effect[] {
  const { effect, request } = detection;
  if (effect === null) return [];
  if (request === null) return [effect];
  const start = request.effects.indexOf(effect);
  if (start < 0) return [effect];
  return request.effects
    .slice(start)
    .filter((later) => descendsFrom(later.process, effect.process))
    .slice(0, MAX_STORY);
}

function descendsFrom(process: Process, ancestor: Process): boolean {
  let node: Process | null = process;
  for (let depth = 0; node !== null && depth < 32; depth++) {
    if (node === ancestor) return true;
    node = node.parent;
  }
  return false;
}
