import type { Attribution } from '../model/effect.ts';
import type { EventHeader } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import { placeByBirth } from './birth.ts';
import type { RequestState } from './request-state.ts';
import type { ServingTables } from './serving-tables.ts';
import type { ServingProcess } from './serving.ts';
import { isThread } from './unit.ts';
import { ambiguous, NO_REQUEST, UNKNOWN_STAMP } from './verdicts.ts';

export interface PlacingCounters {
  /** The stamp named a message of which we have no request: lost, or of no protocol that we read. */
  unknownStamps: number;
}

/** Where an effect belongs by who did it. */
export class Placing {
  readonly #tables: ServingTables;
  readonly #counters: PlacingCounters;

  constructor(tables: ServingTables, counters: PlacingCounters) {
    this.#tables = tables;
    this.#counters = counters;
  }

  /** Where the effect belongs by who did it, without looking at its content. */
  place(event: EventHeader, process: Process): Attribution {
    const serving = this.#tables.processes.get(process.pid);
    const isServer = serving !== undefined && serving.process === process;
    if (isServer) serving.sweep(event.timeNs);
    // Who serves requests itself is judged by them, though it may have been born in another.
    if (isServer && this.#isOwnUnit(event)) return this.#placeUnit(event, serving);
    if (isServer)
      return event.stampOrigin === 'work'
        ? this.#placeWork(event, serving)
        : isStamped(event)
          ? this.#placeByStamp(event, serving)
          : this.#placeInServer(event, serving);
    const birth = this.#tables.births.get(process);
    if (birth === undefined) return NO_REQUEST;
    return placeByBirth(birth);
  }

  /** A goroutine or a task, unless it is an event loop of its own: then it is like a thread that is one. */
  #isOwnUnit({ unit }: EventHeader): boolean {
    return !isThread(unit) && this.#tables.threads.get(unit)?.isLoop !== true;
  }

  /**
   * A goroutine runs the code of the request that it read, and a task that of the request in which it was made, whatever the
   * threads do that they run on. Long-lived ones serve pools: what they do once that request is over is not believed, but of
   * the one that answered it.
   */
  #placeUnit(event: EventHeader, serving: ServingProcess): Attribution {
    const isTask = event.stampOrigin !== 'read';
    if (!isStampedUnit(event))
      return ambiguous(serving.inFlight, 'a goroutine or task did it that had read no request');
    const served =
      this.#tables.connections.get(event.stampConnection) ?? this.#tables.closed.get(event.stampConnection);
    const own = openOrLast(served?.requestsOf(event.stampSequence) ?? []);
    const [first] = own;
    if (first === undefined) {
      this.#counters.unknownStamps++;
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...serving.inFlight] };
    }
    if (served?.isUnread(event.stampSequence) === true)
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...own] };
    const candidates = new Set([...own, ...(this.#tables.threads.get(event.unit)?.open() ?? [])]);
    // uvicorn begins with the next request on the connection in the task of the one before, should it have come by then.
    for (const behind of served?.requestsBehind(event.stampSequence) ?? []) candidates.add(behind);
    if (serving.areUnitsMixed)
      return ambiguous(
        new Set([...candidates, ...serving.inFlight]),
        'goroutines or tasks of the server work for requests of others',
      );
    if (candidates.size > 1)
      return ambiguous(candidates, `${candidates.size} requests were in work in the goroutine or task`);
    // A worker that was made when it was needed first, in a request that still is in work, does what all others ask of it.
    if (event.stampOrigin === 'subtask' && (first.isDone || serving.inFlight.size > 1))
      return ambiguous(
        new Set([first, ...serving.inFlight]),
        'a task did it that a task of the request had made',
      );
    if (first.isDone && first.writer !== event.unit)
      return ambiguous(candidates, 'the request was over, and another had answered it');
    return {
      grade: isTask ? 'linked' : 'exact',
      reason: isTask
        ? 'a task did it that was made while this request was served'
        : 'the goroutine or task had read this request and no other since',
      request: first,
      candidates: [first],
    };
  }

  /** The thread read a request and has not gone back to wait since. */
  #placeByStamp(event: EventHeader, serving: ServingProcess): Attribution {
    const served =
      this.#tables.connections.get(event.stampConnection) ?? this.#tables.closed.get(event.stampConnection);
    const own = openOrLast(served?.requestsOf(event.stampSequence) ?? []);
    const [first] = own;
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined) this.#tables.noteLoop(event, thread);
    if (first === undefined) {
      this.#counters.unknownStamps++;
      // Told even if there is no candidate: something was served here that we could not read.
      return {
        grade: 'ambiguous',
        reason: UNKNOWN_STAMP,
        request: null,
        candidates: [...(serving.hasMovingWork ? serving.inFlight : (thread?.open() ?? []))],
      };
    }
    // Another request may stand in bytes that were not captured: then the likelier cause is not among the candidates.
    if (served?.isUnread(event.stampSequence) === true)
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...own] };
    // Of a thread that was pushed out of the table we do not know what else it does.
    const canJuggle = thread === undefined || thread.isLoop || serving.hasMovingWork;
    // After the reply the thread may have gone on with what another one has read.
    const isAnyPossible = thread === undefined || serving.hasMovingWork || first.isDone;
    const candidates = new Set([...own, ...(isAnyPossible ? serving.inFlight : thread.open())]);
    const answered = thread?.answeredUnder(event) ?? null;
    if (answered !== null) candidates.add(answered);
    if (candidates.size === 1) {
      // A runtime that moves work between threads is not known for one yet, nor what it had begun before.
      if (event.timeNs < this.#tables.newcomerUntilNs(serving.process))
        return ambiguous(candidates, 'the agent has just come: other requests may be in flight');
      if (canJuggle) {
        if (this.#tables.isDoubted(serving.process, event.timeNs))
          return ambiguous(candidates, 'other requests may be in flight: bytes were lost');
        // What a loop runs after the reply may be left over from any request before.
        if (first.isDone) return ambiguous(candidates, 'an event loop ran it after the reply');
        if (first.isDoubtful)
          return ambiguous(candidates, 'another may have asked in the name of this request');
      }
      return {
        grade: 'exact',
        reason: !first.isDone
          ? 'the thread was serving this request and no other'
          : 'the thread had served this request last and no other',
        request: first,
        candidates: [first],
      };
    }
    if (thread !== undefined && thread.isLoop && !serving.hasMovingWork && own.length === 1)
      return this.#placeOnLoop(event, serving, first, candidates);
    return ambiguous(candidates, `${candidates.size} requests were in flight on the thread`);
  }

  /**
   * One loop, several requests in flight. It runs one of them after it has read something: a request, or the answer that
   * one waited for. All others that wait for an answer of their own stand still meanwhile; but whoever waits for what
   * we cannot see (a timer, a file, a place in a pool) may go on at any moment.
   */
  #placeOnLoop(
    event: EventHeader,
    serving: ServingProcess,
    running: RequestState,
    candidates: ReadonlySet<RequestState>,
  ): Attribution {
    const all = `${candidates.size} requests were in flight on the event loop`;
    if (this.#tables.isDoubted(serving.process, event.timeNs))
      return ambiguous(candidates, `${all}, and others may be: bytes were lost`);
    if (event.timeNs < this.#tables.newcomerUntilNs(serving.process))
      return ambiguous(candidates, `${all}, and others may be: the agent has just come`);
    if (running.isDone) return ambiguous(candidates, all);
    this.#tables.clients.sweep(event.timeNs);
    for (const other of candidates)
      if (other !== running && (other.isDone || other.waitingCount === 0)) return ambiguous(candidates, all);
    if (running.isDoubtful) return ambiguous(candidates, all);
    return {
      grade: 'linked',
      reason:
        event.stampOrigin === 'linked'
          ? 'the event loop had read the answer that this request waited for; every other one waits for its own'
          : 'the event loop had read this request; every other one waits for an answer',
      request: running,
      candidates: [running],
    };
  }

  /** A thread of a pool does what was handed over for a request. */
  #placeWork(event: EventHeader, serving: ServingProcess): Attribution {
    const request = this.stamped(event);
    if (request === null) return ambiguous(serving.inFlight, UNKNOWN_STAMP);
    if (request.isDoubtful)
      return ambiguous(
        new Set([request, ...serving.inFlight]),
        'a pool ran it, and another may have handed it over',
      );
    return {
      grade: 'linked',
      reason: 'a pool ran it, and this request had handed it over',
      request,
      candidates: [request],
    };
  }

  /** A thread of a server without a stamp: an event loop between reads, or a helper thread. */
  #placeInServer(event: EventHeader, serving: ServingProcess): Attribution {
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined && thread.pid === event.pid) {
      this.#tables.noteLoop(event, thread);
      if (!serving.hasMovingWork) {
        // What it has not finished may go on: it polls inside a request, after an interim reply or the reply's beginning.
        const reason = thread.isLoop
          ? 'an event loop ran it after it had waited'
          : 'the thread had waited since it read the request';
        return ambiguous(new Set(thread.open()), reason);
      }
    }
    return ambiguous(serving.inFlight, 'another thread of the server did it');
  }

  /** The one request that the kernel's stamp names. */
  stamped(event: EventHeader): RequestState | null {
    if (!isStamped(event)) return null;
    const requests =
      this.#tables.connections.get(event.stampConnection)?.requestsOf(event.stampSequence) ?? [];
    const [only] = requests;
    return only !== undefined && requests.length === 1 ? only : null;
  }
}

/** Of several in one message, the one answered last may still be at work while the next one waits. */
function openOrLast(requests: readonly RequestState[]): readonly RequestState[] {
  const waiting = requests.findIndex((request) => !request.isDone);
  return waiting < 0 ? requests.slice(-1) : requests.slice(Math.max(0, waiting - 1));
}

/** The goroutine or task has read a request, or was made in one. */
export function isStampedUnit({ unit, stampOrigin }: EventHeader): boolean {
  return !isThread(unit) && (stampOrigin === 'read' || stampOrigin === 'task' || stampOrigin === 'subtask');
}

/** The stamp names a request that the thread works on. */
function isStamped({ stampOrigin }: EventHeader): boolean {
  return stampOrigin === 'read' || stampOrigin === 'linked' || stampOrigin === 'work';
}
