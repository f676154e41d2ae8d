import { addressText } from '../../base/addresses.ts';
import type { AlertMessage, RuleText } from '../../cli/contract.ts';
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
import { RuleSet, type RuleMatching } from '../../rules/rule-set.ts';
import { RuleSource } from '../../rules/text.ts';
import type { PipelineOutput } from '../pipeline.ts';
import { HashWait, isKnown } from './hash-wait.ts';
import { rulesOnPlainRequests } from './plain-requests.ts';
import { RuleEvents, type RuleEventSource } from '../rule-events.ts';

/** Hashes of executables, for rules that ask for them. */
export interface HashSource {
  fileOf(process: Process): ExecutableFile | null;
  ask(file: ExecutableFile, process: Process): void;
  isPending(file: ExecutableFile): boolean;
}

export interface RuleWatchOptions {
  readonly matching: RuleMatching;
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
  #set: RuleSet;
  /** Rules that ask for hashes: on their own, since their events may wait. */
  #hashing: RuleSet;
  #hashingTypes: ReadonlySet<number> = new Set();
  readonly #waiting = new HashWait((effect, isHashKnown) => {
    if (!isHashKnown) this.withoutHash++;
    const event = this.#events.ofEffect(effect);
    if (event !== null) this.#run(this.#hashing, event);
  });
  /** What rules are run on now. */
  #event: RuleEvent | null = null;
  readonly #onMatch = (rule: Rule): void => this.#raise(rule);

  constructor(options: RuleWatchOptions) {
    this.#options = options;
    this.#events = new RuleEvents(options.source);
    this.#set = this.#setOf([]);
    this.#hashing = this.#setOf([]);
  }

  get ruleCount(): number {
    return this.#set.rules.length + this.#hashing.rules.length;
  }

  /**
   * Puts the rules of these files in the place of those before, for all events from the next one on.
   * @returns false where the files have errors: nothing is changed then
   */
  replace(files: readonly RuleText[]): boolean {
    const sources = files.map(({ name, text }) => new RuleSource(name, text));
    const { rules, hasErrors } = loadRules(sources, { isStrict: false });
    if (hasErrors) return false;
    const enabled = rules.filter(({ isEnabled }) => isEnabled);
    this.interest = interestOf(enabled);
    this.readingRules = rulesOnPlainRequests(enabled).map(({ name }) => name);
    const hashing = enabled.filter((rule) => fieldsOfRule(rule).has(HASH_FIELD));
    this.hashingRules = hashing.map(({ name }) => name);
    this.#hashingTypes = new Set(hashing.flatMap(({ types }) => [...types]));
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

  #run(rules: RuleSet, event: RuleEvent): void {
    this.#event = event;
    rules.evaluate(event, this.#onMatch);
    this.#event = null;
  }

  #raise(rule: Rule): void {
    if (this.#event === null) return;
    try {
      this.#options.alert({ kind: 'alert', ...alertOf(rule, this.#event) });
      this.raised++;
    } catch (error) {
      this.#options.warn(
        `bug in the output of rule '${rule.name}', the alert is not told: ${stackOf(error)}`,
      );
    }
  }

  #setOf(rules: readonly Rule[]): RuleSet {
    const { matching, warn } = this.#options;
    return new RuleSet(rules, {
      matching,
      onBroken: (rule, error) =>
        warn(`bug in rule '${rule.name}', which is switched off from now on: ${stackOf(error)}`),
    });
  }
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
