import { addressText } from '../../base/addresses.ts';
import type { AlertCounts, AlertLimit, AlertMessage, RuleText } from '../../cli/contract.ts';
import { problemLine } from '../../cli/rules/problem-text.ts';
import type { ExecutableFile } from '../../model/executable.ts';
import type { AcceptEvent } from '../../model/event.ts';
import type { Process } from '../../model/process.ts';
import type { Connection } from '../../model/request.ts';
import { alertOf } from '../../rules/alert.ts';
import type { RuleEvent } from '../../rules/event.ts';
import { interestOf, type RuleInterest } from '../../rules/interest.ts';
import { isLate } from '../../rules/late-rules.ts';
import { loadRules } from '../../rules/load/load-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import type { RuleMatching } from '../../rules/rule-set.ts';
import { ALL_PARTS, NO_PARTS, TimelyRules, type Parts } from '../../rules/timely-rules.ts';
import { Sampling } from '../../rules/sampling.ts';
import { idleSelections, selectRules, type RuleSelection } from '../../rules/selection.ts';
import type { SequenceMatch } from '../../rules/sequences/plan.ts';
import { RuleSource } from '../../rules/text.ts';
import type { PipelineOutput } from '../pipeline.ts';
import { AlertLimiter, DEFAULT_ALERT_LIMIT } from './alert-limit.ts';
import { HeldEvents } from './held-events.ts';
import { rulesOnPlainRequests } from './plain-requests.ts';
import { RuleUses } from './rule-uses.ts';
import { RuleEvents, type RuleEventSource } from '../rule-events.ts';

/** Hashes of executables, for rules that ask for them. */
export interface HashSource {
  fileOf(process: Process): ExecutableFile | null;
  ask(file: ExecutableFile, process: Process): void;
  isPending(file: ExecutableFile): boolean;
}

export interface RuleWatchOptions {
  readonly matching: RuleMatching;
  /** Rules that are switched on or off, beyond what the files say. */
  readonly selections?: readonly RuleSelection[];
  readonly alertLimit?: AlertLimit;
  /** Milliseconds, with fractions: measures what rules take. */
  readonly now?: () => number;
  readonly source: RuleEventSource;
  readonly alert: (alert: AlertMessage) => void;
  /** A rule, or its output, threw: a bug. */
  readonly warn: (text: string) => void;
  /** Absent: what is not known is not asked for. */
  readonly hashes?: HashSource;
}

/** Runs rules on everything that the brain makes known, while it works on it, and raises alerts. */
export class RuleWatch {
  /** Alerts since the beginning. */
  raised = 0;
  /** Events that rules looked at. */
  seen = 0;
  /** About so long it took, in milliseconds. */
  timeMs = 0;
  /** What was wrong with the files that were refused last, a line each; not safe to print. */
  problems: readonly string[] = [];
  /** Of rules that are no longer in force. */
  readonly #forgotten = new Map<string, number>();
  /** What the rules in force ask for. */
  interest: RuleInterest = interestOf([]);
  /** Names of the rules for which every request has to be read. */
  readingRules: readonly string[] = [];
  /** Names of the rules that ask for hashes of programs. */
  hashingRules: readonly string[] = [];
  /** How often those were run without knowing the hash. */
  withoutHash = 0;
  readonly #options: RuleWatchOptions;
  readonly #events: RuleEvents;
  readonly #limiter: AlertLimiter;
  readonly #uses = new RuleUses();
  readonly #sampling: Sampling;
  /** Rules were in force before. */
  #hasBegun = false;
  #set: TimelyRules;
  readonly #held = new HeldEvents(({ event, file, parts }) => {
    if (file !== null && !isKnown(file)) this.withoutHash++;
    this.#run(event, parts);
  });
  /** What rules are run on now. */
  #event: RuleEvent | null = null;
  readonly #onMatch = (rule: Rule, match: SequenceMatch | null): void => this.#raise(rule, match);

  constructor(options: RuleWatchOptions) {
    this.#options = options;
    this.#events = new RuleEvents(options.source);
    this.#sampling = new Sampling(options.now ?? null, true);
    this.#limiter = new AlertLimiter(options.alertLimit ?? DEFAULT_ALERT_LIMIT, options.warn);
    this.#set = this.#setOf([]);
  }

  /** What became of the rules and their alerts since the beginning. */
  counts(): Omit<AlertCounts, 'outputs'> {
    const { heldBack } = this.#limiter;
    const rules = this.#uses.all([this.#set], (rule) => this.#limiter.heldBackOf(rule));
    return {
      raised: this.raised,
      heldBack,
      seen: this.seen,
      timeMs: Math.round(this.timeMs * 10) / 10,
      rules,
    };
  }

  /** By rule: keys whose sequences or counts were forgotten before their time, since there were too many at once. */
  get forgotten(): Readonly<Record<string, number>> {
    const sums = new Map(this.#forgotten);
    addAll(sums, this.#set.evictions());
    return Object.fromEntries(sums);
  }

  get ruleCount(): number {
    return this.#set.rules.length;
  }

  /**
   * Puts the rules of these files in the place of those before, for all events from the next one on.
   * @returns false where there are problems: nothing is changed then
   */
  replace(files: readonly RuleText[]): boolean {
    const sources = files.map(({ name, text }) => new RuleSource(name, text));
    const { rules, files: reports } = loadRules(sources, { isStrict: false });
    const { selections = [] } = this.#options;
    const idle = idleSelections(rules, selections);
    this.problems = reports.flatMap(({ errors }) => errors.map(problemLine));
    // Later a rule may be gone: to switch it off is no error then.
    if (!this.#hasBegun) this.problems = [...this.problems, ...idle];
    if (this.problems.length > 0) return false;
    if (this.#hasBegun) for (const problem of idle) this.#options.warn(problem);
    this.#hasBegun = true;
    const enabled = selectRules(rules, selections);
    this.interest = interestOf(enabled);
    this.readingRules = rulesOnPlainRequests(enabled).map(({ name }) => name);
    this.hashingRules = enabled.filter(isLate).map(({ name }) => name);
    // An event that waits was seen by the rules before.
    this.#held.flush();
    this.#uses.add(this.#set);
    addAll(this.#forgotten, this.#set.evictions());
    this.#set = this.#setOf(enabled);
    return true;
  }

  /** The same output, on the way to which rules see everything. */
  watched(output: PipelineOutput): PipelineOutput {
    return {
      ...output,
      effect: (effect) => {
        output.effect?.(effect);
        this.#see(this.#events.ofEffect(effect));
      },
      detected: (detection) => {
        output.detected?.(detection);
        this.#events.detected(detection);
      },
      answered: (effect, timeNs) => {
        output.answered?.(effect, timeNs);
        this.#see(this.#events.ofAnswer(effect, timeNs));
      },
      accepted: (event, process) => {
        output.accepted?.(event, process);
        const { tid, timeNs, descriptor } = event;
        this.#see(this.#events.ofAccept(connectionOf(event), process, tid, timeNs, descriptor));
      },
      ended: (end) => {
        output.ended?.(end);
        this.#see(this.#events.ofEnd(end));
      },
      requestRead: (request, timeNs) => {
        output.requestRead?.(request, timeNs);
        this.#see(this.#events.ofRequest(request, 'http_request', timeNs));
      },
      replied: (request, timeNs) => {
        output.replied?.(request, timeNs);
        this.#see(this.#events.ofRequest(request, 'http_response', timeNs));
      },
      tick: (nowNs) => {
        output.tick?.(nowNs);
        this.#held.tick(nowNs);
      },
    };
  }

  #see(event: RuleEvent | null): void {
    if (event === null || !this.interest.types.has(event.type)) return;
    this.seen++;
    const later = this.#set.asksForHash(event.type) ? this.#hold(event) : NO_PARTS;
    if (later !== ALL_PARTS) this.#run(event, ALL_PARTS & ~later);
  }

  /** Keeps the event for those rules that cannot be run on it yet. @returns which these are */
  #hold(event: RuleEvent): Parts {
    const { hashes } = this.#options;
    const { process } = event;
    const file = process === null ? null : (hashes?.fileOf(process) ?? null);
    const isMissing = file !== null && hashes?.isPending(file) === true;
    const later =
      isMissing || !this.#held.isEmpty ? this.#set.waiting(event, isMissing, !this.#held.isEmpty) : NO_PARTS;
    if (later === NO_PARTS) {
      if (!isMissing && process !== null && !isKnown(file)) this.withoutHash++;
      return NO_PARTS;
    }
    if (isMissing && process !== null) hashes?.ask(file, process);
    this.#held.add({ event: this.#events.keep(), file: isMissing ? file : null, parts: later });
    return later;
  }

  #run(event: RuleEvent, parts: Parts): void {
    const rules = this.#set;
    this.#event = event;
    if (this.#sampling.next())
      this.#sampling.timed(
        () => rules.evaluate(event, this.#onMatch, parts),
        (ms) => (this.timeMs += ms),
      );
    else rules.evaluate(event, this.#onMatch, parts);
    this.#event = null;
  }

  #raise(rule: Rule, match: SequenceMatch | null): void {
    if (this.#event === null || !this.#limiter.admits(rule.name, this.#event.timeNs)) return;
    try {
      this.#options.alert({ kind: 'alert', ...alertOf(rule, this.#event, match) });
      this.raised++;
    } catch (error) {
      this.#options.warn(
        `bug in the output of rule '${rule.name}', the alert is not told: ${stackOf(error)}`,
      );
    }
  }

  #setOf(rules: readonly Rule[]): TimelyRules {
    const { matching, warn, now } = this.#options;
    return new TimelyRules(rules, {
      matching,
      ...(now === undefined ? {} : { now }),
      onBroken: (rule, error) =>
        warn(`bug in rule '${rule.name}', which is switched off from now on: ${stackOf(error)}`),
      onForgetting: (rule) =>
        warn(
          `rule '${rule.name}' follows too much at once: of whoever makes most of it the oldest is forgotten, which is counted`,
        ),
    });
  }
}

function isKnown(file: ExecutableFile | null): boolean {
  return file !== null && file.hash !== null && file.hash.sha256 !== null;
}

function addAll(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What a connection is to rules, at the moment at which it is accepted. */
export function connectionOf(event: AcceptEvent): Connection {
  const { connection, family, localAddress, localPort, remoteAddress, remotePort } = event;
  return {
    id: connection,
    family,
    client: { address: addressText(family, remoteAddress), port: remotePort },
    server: { address: addressText(family, localAddress), port: localPort },
  };
}
