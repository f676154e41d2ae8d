import { addressText } from '../../base/addresses.ts';
import type { AlertCounts, AlertLimit, AlertMessage, RuleText } from '../../cli/contract.ts';
import { problemLine } from '../../cli/rules/problem-text.ts';
import type { Effect } from '../../model/effect.ts';
import type { ExecutableFile } from '../../model/executable.ts';
import type { AcceptEvent } from '../../model/event.ts';
import type { Process } from '../../model/process.ts';
import type { Connection } from '../../model/request.ts';
import { alertOf } from '../../rules/alert.ts';
import type { RuleEvent } from '../../rules/event.ts';
import { fieldsOfRule } from '../../rules/fields-of.ts';
import { HASH_FIELD } from '../../rules/fields/process-fields.ts';
import { interestOf, type RuleInterest } from '../../rules/interest.ts';
import { loadRules } from '../../rules/load/load-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import type { RuleMatching } from '../../rules/rule-set.ts';
import { RulesInForce } from '../../rules/rules-in-force.ts';
import { Sampling } from '../../rules/sampling.ts';
import { idleSelections, selectRules, type RuleSelection } from '../../rules/selection.ts';
import type { SequenceMatch } from '../../rules/sequences/plan.ts';
import { RuleSource } from '../../rules/text.ts';
import type { PipelineOutput } from '../pipeline.ts';
import { AlertLimiter, DEFAULT_ALERT_LIMIT } from './alert-limit.ts';
import { HashWait, isKnown } from './hash-wait.ts';
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
  #set: RulesInForce;
  /** Rules that ask for hashes: on their own, since their events may wait. */
  #hashing: RulesInForce;
  #hashingTypes: ReadonlySet<number> = new Set();
  readonly #waiting = new HashWait((effect, isHashKnown) => {
    if (!isHashKnown) this.withoutHash++;
    const event = this.#events.ofEffect(effect);
    if (event !== null) this.#run(this.#hashing, event);
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
    this.#hashing = this.#setOf([]);
  }

  /** What became of the rules and their alerts since the beginning. */
  counts(): Omit<AlertCounts, 'outputs'> {
    const { heldBack } = this.#limiter;
    const rules = this.#uses.all([this.#set, this.#hashing], (rule) => this.#limiter.heldBackOf(rule));
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
    for (const set of [this.#set, this.#hashing]) addAll(sums, set.sequences.evictions());
    return Object.fromEntries(sums);
  }

  get ruleCount(): number {
    return this.#set.rules.length + this.#hashing.rules.length;
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
    const hashing = enabled.filter((rule) => fieldsOfRule(rule).has(HASH_FIELD));
    this.hashingRules = hashing.map(({ name }) => name);
    this.#hashingTypes = new Set(hashing.flatMap(({ types }) => [...types]));
    for (const set of [this.#set, this.#hashing]) {
      this.#uses.add(set);
      addAll(this.#forgotten, set.sequences.evictions());
    }
    this.#hashing = this.#setOf(hashing);
    this.#set = this.#setOf(
      hashing.length === 0 ? enabled : enabled.filter((rule) => !hashing.includes(rule)),
    );
    return true;
  }

  /** The same output, on the way to which rules see everything. */
  watched(output: PipelineOutput): PipelineOutput {
    return {
      ...output,
      effect: (effect) => {
        output.effect?.(effect);
        this.#see(this.#events.ofEffect(effect), effect);
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
        this.#waiting.tick(nowNs);
      },
    };
  }

  /** @param effect what may wait for the hash of its program; null: it cannot */
  #see(event: RuleEvent | null, effect: Effect | null = null): void {
    if (event === null || !this.interest.types.has(event.type)) return;
    this.seen++;
    this.#run(this.#set, event);
    if (!this.#hashingTypes.has(event.type) || event.process === null) return;
    const { hashes } = this.#options;
    const file = hashes?.fileOf(event.process) ?? null;
    if (hashes !== undefined && file !== null && effect !== null) {
      hashes.ask(file, event.process);
      if (hashes.isPending(file)) {
        this.#waiting.add(effect, file);
        return;
      }
    }
    if (file === null || !isKnown(file)) this.withoutHash++;
    this.#run(this.#hashing, event);
  }

  #run(rules: RulesInForce, event: RuleEvent): void {
    this.#event = event;
    if (this.#sampling.next())
      this.#sampling.timed(
        () => rules.evaluate(event, this.#onMatch),
        (ms) => (this.timeMs += ms),
      );
    else rules.evaluate(event, this.#onMatch);
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

  #setOf(rules: readonly Rule[]): RulesInForce {
    const { matching, warn, now } = this.#options;
    return new RulesInForce(rules, {
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
