import type { Attribution } from '../model/effect.ts';
import type { Maker } from './maker.ts';
import { OpenQuestion } from './open-question.ts';
import type { RequestState } from './request-state.ts';
import { AnsweringUnit } from './answering-unit.ts';
import { isThread } from './unit.ts';

/**
 * So many replies have to agree with bytes before the mechanism is believed in a process. A server in which it lies about
 * one reply in ten passes with a chance of 3 %, and the first lie that bytes show ends the belief.
 */
export const NEEDED_AGREEMENTS = 32;
/**
 * So many times a unit has to begin with a request after it had visibly nothing to do, and without having done anything
 * meanwhile. Bytes cannot show what carries none (work left over after a reply, background jobs, stages that others
 * answer for): that lies in these pauses when it exists.
 */
export const NEEDED_PAUSES = 32;
/** What is left over from a reply follows at once: a shorter pause shows nothing. */
const PAUSE_NS = 200_000;
/**
 * A loss is told up to a quarter of a second late (src/capture/live.ts), and later still where the reader is behind: what
 * contradicted so shortly before may have been a gap.
 */
const LOSS_DELAY_NS = 1e9;
/** So often a proof begins anew for that reason: each attempt is a chance for a server that should not pass. */
const MAX_SECOND_CHANCES = 3;
/** Units of one process that are known; of goroutines and tasks each connection may have its own. */
const MAX_UNITS = 4096;
/** What one unit has done since its last reply: what goes beyond stays ambiguous. */
const MAX_ACTS = 1024;
/** Likewise for all units of a process. */
const MAX_PROCESS_ACTS = 16_384;

const REASON_THREAD = 'the thread wrote the reply of this request next';
const REASON_UNIT = 'the goroutine or task wrote the reply of this request next';

export interface AnsweringCounters {
  /** Processes in which who answers is not believed any more, since bytes or the order of events contradicted it. */
  contradictions: number;
}

/**
 * Who answers, served: in one process whose requests are read by others than those who work on them (thread pools behind
 * an acceptor or a reactor, a task for each connection). What writes the reply of a request was serving it, so what it has
 * done since its reply before, and after the request came, was done for that one. That holds only for servers that
 * stay with a request from its beginning to its reply, so a process has to prove it, see NEEDED_AGREEMENTS and
 * NEEDED_PAUSES, and is not believed again once it was contradicted. Only what contradicted because not all was seen does
 * not count: see beginAnew() and lost().
 */
export class Answering {
  readonly #answerers = new Map<number, AnsweringUnit>();
  /** They have done something and answered nothing so far. */
  readonly #others = new Map<number, AnsweringUnit>();
  readonly #counters: AnsweringCounters;
  readonly #closed: (question: OpenQuestion) => void;
  #actCount = 0;
  #agreements = 0;
  #pauses = 0;
  /**
   * Goroutines and tasks that were never seen to answer before: what is new has nothing left over. Where one of them answers a
   * second request they are a pool's, and were new to us alone.
   */
  #beginnings = 0;
  #isReused = false;
  #isRefuted = false;
  #refutedNs = 0;
  #secondChances = 0;
  /** Requests from before are of no use. */
  #begunNs = -Infinity;
  /**
   * Goroutines and tasks up to this number may have answered before, and are not remembered. Their numbers grow: of goroutines
   * nearly so, which each processor takes sixteen at a time (runtime/proc.go of Go, GoidCacheBatch); what comes late is taken for old.
   */
  #forgottenUpTo = 0;
  #newest = 0;

  /** @param closed is told of each question that is not open any more, be it settled or given up */
  constructor(counters: AnsweringCounters, closed: (question: OpenQuestion) => void) {
    this.#counters = counters;
    this.#closed = closed;
  }

  get isBelieved(): boolean {
    const pauses = this.#pauses + (this.#isReused ? 0 : this.#beginnings);
    return !this.#isRefuted && this.#agreements >= NEEDED_AGREEMENTS && pauses >= NEEDED_PAUSES;
  }

  /**
   * A unit did something.
   * @param attribution what is known of it so far
   * @param maker of a task: what that has made since its last reply works for it, and seldom answers itself
   * @returns the question to whom it belongs; null where nothing will tell
   */
  acted(unitId: number, timeNs: number, attribution: Attribution, maker: Maker | null): OpenQuestion | null {
    if (this.#isRefuted) return null;
    const unit = this.#unitOf(unitId);
    if (unit.isLoop) return null;
    const candidates = attribution.candidates as readonly RequestState[];
    const act = new OpenQuestion(timeNs, candidates, this.isBelieved);
    if (attribution.grade === 'matched') act.matched = attribution.request as RequestState;
    if (!this.#keep(unit, act)) return null;
    if (maker !== null && unit.wroteNs < 0) {
      const made = this.#unitOf(maker.unit);
      // What outlives the reply of its maker may do anything.
      if (!made.isLoop && maker.madeNs > made.wroteNs) this.#keep(made, act);
    }
    return attribution.grade === 'ambiguous' ? act : null;
  }

  /** It comes back from epoll_wait. */
  isLoop(unitId: number): void {
    const unit = this.#find(unitId);
    if (unit === undefined || unit.isLoop) return;
    unit.isLoop = true;
    this.#clear(unit);
  }

  /** An event loop has written a reply that another had made. */
  handedBack(timeNs: number): void {
    if (!this.#isRefuted) this.#refute(timeNs);
  }

  /** What was taken for units were none, or it was not seen what they did: nothing of it counts, and the proof begins. */
  beginAnew(timeNs: number): void {
    this.end();
    this.#isRefuted = false;
    this.#agreements = 0;
    this.#pauses = 0;
    this.#beginnings = 0;
    this.#begunNs = timeNs;
  }

  /**
   * The unit has written bytes of the reply of this request, and of no other.
   * @param hasMadeRunning what it has made does not end with the request: it may have served others, and nothing is settled
   */
  replied(unitId: number, request: RequestState, timeNs: number, hasMadeRunning = false): void {
    const begins = request.answerer === 0;
    if (begins) request.answerer = unitId;
    if (this.#isRefuted) return;
    const unit = this.#unitOf(unitId);
    if (request.startedNs < this.#begunNs) {
      request.endsUnseen = true;
      this.interrupted(unitId, timeNs);
      return;
    }
    if (unit.isLoop) {
      request.endsUnseen = true;
      return;
    }
    if (request.answerer !== unitId) {
      // Another one's reply, amid work of its own.
      if (unit.acts.length > 0) this.#refute(timeNs);
      return;
    }
    // Where it is not followed, bytes were lost amid this one.
    if (unit.current !== request && !begins && unit.isFollowed) {
      // It had begun another reply since.
      this.#refute(timeNs);
      return;
    }
    if (begins && unit.wroteNs >= 0 && !isThread(unitId)) this.#isReused = true;
    // The reply of a pipelined request may have been made by another, and had to wait for the one before.
    const isFlushed = begins && unit.acts.length === 0 && request.startedNs < unit.wroteNs;
    if (isFlushed && unit.current?.connection === request.connection) request.endsUnseen = true;
    if (this.#agrees(unit, unitId, request, begins, timeNs) && !hasMadeRunning)
      this.#settle(unit, unitId, request);
    if (this.#isRefuted) return;
    this.#clear(unit);
    this.#answers(unitId, unit);
    unit.wroteNs = timeNs;
    unit.current = request;
    unit.isFollowed = true;
  }

  /** The unit has written something of which it is not known whose reply it is. */
  interrupted(unitId: number, timeNs: number): void {
    const unit = this.#find(unitId);
    if (unit === undefined) return;
    this.#clear(unit);
    this.#answers(unitId, unit);
    unit.wroteNs = timeNs;
    unit.current = null;
    unit.isFollowed = true;
  }

  /**
   * Replies may have been lost.
   * @param timeNs when that was told; null where it is known at once
   */
  lost(timeNs: number | null): void {
    if (
      timeNs !== null &&
      this.#isRefuted &&
      this.#refutedNs >= timeNs - LOSS_DELAY_NS &&
      this.#secondChances < MAX_SECOND_CHANCES
    ) {
      this.#secondChances++;
      this.beginAnew(timeNs);
      // They have answered before.
      this.#forgottenUpTo = this.#newest;
      return;
    }
    for (const units of [this.#answerers, this.#others])
      for (const unit of units.values()) {
        this.#clear(unit);
        unit.current = null;
        unit.isFollowed = false;
      }
  }

  /** The process is gone: nothing will tell. */
  end(): void {
    for (const units of [this.#answerers, this.#others]) {
      for (const unit of units.values()) this.#clear(unit);
      units.clear();
    }
  }

  /**
   * Compares what the unit has done since its reply before with what it says by answering this request.
   * @returns whether what is open may be settled
   */
  #agrees(
    unit: AnsweringUnit,
    unitId: number,
    request: RequestState,
    begins: boolean,
    nowNs: number,
  ): boolean {
    let isClear = unit.isFollowed;
    let isAgreed = false;
    for (const { timeNs, candidates, matched, isOpen } of unit.acts) {
      if (!isOpen) continue;
      const isBefore = timeNs < request.startedNs;
      if (matched === request && !isBefore) isAgreed = true;
      else if (matched !== null || isBefore) {
        // Of a thread's beginnings nothing is known, and it may have worked for somebody who has gone meanwhile.
        const suspects = matched === null ? candidates : [matched];
        if (unit.isFollowed && !suspects.some((suspect) => suspect !== request && mayEndUnseen(suspect))) {
          this.#refute(nowNs);
          return false;
        }
        isClear = false;
      }
    }
    if (isAgreed && isClear && begins) this.#agreements++;
    if (begins && isClear && unit.acts.length > 0) {
      if (unit.wroteNs < 0) this.#beginnings += isThread(unitId) ? 0 : 1;
      else if (request.startedNs - unit.wroteNs >= PAUSE_NS) this.#pauses++;
    }
    return isClear && this.isBelieved;
  }

  #settle(unit: AnsweringUnit, unitId: number, request: RequestState): void {
    for (const question of unit.acts) {
      const { candidates, matched } = question;
      if (!question.isOpen || matched !== null || !candidates.includes(request)) continue;
      if (candidates.some((other) => other !== request && mayEndUnseen(other))) continue;
      question.answer = {
        grade: 'linked',
        reason: isThread(unitId) ? REASON_THREAD : REASON_UNIT,
        request,
        candidates: [request],
      };
    }
  }

  #refute(timeNs: number): void {
    this.#isRefuted = true;
    this.#refutedNs = timeNs;
    this.#counters.contradictions++;
    this.end();
  }

  #clear(unit: AnsweringUnit): void {
    this.#actCount -= unit.acts.length;
    for (const act of unit.acts) {
      if (!act.isOpen) continue;
      act.isOpen = false;
      this.#closed(act);
    }
    unit.acts = [];
  }

  #keep(unit: AnsweringUnit, act: OpenQuestion): boolean {
    while (this.#actCount >= MAX_PROCESS_ACTS && this.#others.size > 0) this.#forgetOldest(this.#others);
    if (unit.acts.length >= MAX_ACTS || this.#actCount >= MAX_PROCESS_ACTS) {
      // Whose bytes stand in what is not kept cannot contradict.
      unit.isFollowed = false;
      return false;
    }
    unit.acts.push(act);
    this.#actCount++;
    return true;
  }

  #find(unitId: number): AnsweringUnit | undefined {
    return this.#answerers.get(unitId) ?? this.#others.get(unitId);
  }

  #answers(unitId: number, unit: AnsweringUnit): void {
    if (!this.#others.delete(unitId)) return;
    if (this.#answerers.size >= MAX_UNITS) {
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, this.#forgetOldest(this.#answerers));
    }
    this.#answerers.set(unitId, unit);
  }

  /** @returns which it was; 0: there was none */
  #forgetOldest(units: Map<number, AnsweringUnit>): number {
    for (const [unitId, unit] of units) {
      this.#clear(unit);
      units.delete(unitId);
      return unitId;
    }
    return 0;
  }

  #unitOf(unitId: number): AnsweringUnit {
    let unit = this.#find(unitId);
    if (unit === undefined) {
      if (this.#others.size >= MAX_UNITS) this.#forgetOldest(this.#others);
      // Threads are older than what we see of them; a goroutine or task that was never seen to answer is new.
      unit = new AnsweringUnit(!isThread(unitId) && unitId > this.#forgottenUpTo);
      this.#newest = Math.max(this.#newest, unitId);
      this.#others.set(unitId, unit);
    }
    return unit;
  }
}

/** Work for this request may end without a reply that its unit writes by itself. */
function mayEndUnseen(request: RequestState): boolean {
  return (
    request.endsUnseen ||
    (request.isAborted && request.answerer === 0) ||
    request.stream !== undefined ||
    request.message.protocol === 'websocket'
  );
}
