import type { EffectView, LateEffectView, OrphanView, RequestView } from '../../src/output/views.ts';
import type { LoadResult } from './load.ts';
import type { JsonMessage, Throughline } from './throughline.ts';

/** What attribution said about the effects of a load, against what the effects themselves say. */
export interface Verdicts {
  /** Effects that the requests had. */
  expected: number;
  /** On their own request, with a grade that names one. */
  right: number;
  /** On another request: the worst that can happen. */
  wrong: number;
  /** Not placed; their own request is among the candidates. */
  ambiguous: number;
  /** Not placed, and their own request is not among the candidates: as bad as missing. */
  misled: number;
  /** Not seen anywhere. */
  missing: number;
  /** Mean number of candidates of those that were not placed. */
  meanCandidates: number;
  readonly grades: Record<string, number>;
  /** What was wrong or misled, for people; the first few. */
  readonly examples: string[];
}

/** How many effects of each kind carry the mark of one request, by path of the test servers. */
const EXPECTED = {
  '/work': { exec: 1, open: 2, connect: 1 },
  '/shell': { exec: 2, open: 2, connect: 1 },
} as const;

function expectedOf(load: readonly LoadResult[]): number {
  let count = 0;
  for (const { target } of load) {
    const path = target.slice(0, target.indexOf('?'));
    if (path !== '/work' && path !== '/shell') throw new Error(`no marked effects: ${target}`);
    const { exec, open, connect } = EXPECTED[path];
    count += exec + open + connect;
  }
  return count;
}

const ID = /id-[0-9a-f]{8}-\d{6}/;
const REVERSED_ID = /\d{6}-[0-9a-f]{8}-di/;

/** The id that stands in a text, forwards or backwards. */
export function idIn(text: string): string | null {
  const plain = ID.exec(text)?.[0];
  if (plain !== undefined) return plain;
  const reversed = REVERSED_ID.exec(text)?.[0];
  return reversed === undefined ? null : Array.from(reversed).toReversed().join('');
}

/** The messages of `trace --json`, as what they are. */
export interface Trace {
  readonly requests: readonly RequestView[];
  readonly late: readonly LateEffectView[];
  readonly orphans: readonly OrphanView[];
}

export function traceOf(messages: readonly JsonMessage[]): Trace {
  const ofKind = <View>(kind: string): View[] =>
    messages.filter((message) => message.kind === kind) as unknown as View[];
  return { requests: ofKind('request'), late: ofKind('effect'), orphans: ofKind('orphan') };
}

/** All effects that stand on a request, also those that were told after it, with its target; '' for one that is not told. */
export function placedEffects({
  requests,
  late,
}: Trace): { target: string; effect: Trace['late'][number]['effect'] }[] {
  const targets = new Map(requests.map(({ id, target }) => [id, target]));
  return [
    ...requests.flatMap(({ target, effects }) => effects.map((effect) => ({ target, effect }))),
    ...late.map(({ request, effect }) => ({ target: targets.get(request) ?? '', effect })),
  ];
}

/** Waits until the trace has printed all these requests. */
export async function untilTraced(
  agent: Throughline,
  load: readonly LoadResult[],
  timeoutMs = 20_000,
): Promise<void> {
  const waiting = new Set(load.map(({ id }) => id));
  let seen = 0;
  await agent.waitFor(() => {
    for (; seen < agent.messages.length; seen++) {
      const message = agent.messages[seen];
      if (message?.kind === 'request') waiting.delete(idIn(String(message['target'])) ?? '');
    }
    return waiting.size === 0;
  }, timeoutMs);
}

/**
 * Compares where each marked effect was placed with the request whose mark it carries. Marks are ids in arguments and
 * paths; connections are known by the port that only this request (of those in flight) was told.
 */
export function judge(trace: Trace, load: readonly LoadResult[]): Verdicts {
  const sent = new Map(load.map((one) => [one.id, one]));
  const verdicts: Verdicts = {
    expected: expectedOf(load),
    right: 0,
    wrong: 0,
    ambiguous: 0,
    misled: 0,
    missing: 0,
    meanCandidates: 0,
    grades: {},
    examples: [],
  };
  const idOfRequest = new Map<string, string>();
  for (const request of trace.requests) {
    const id = idIn(request.target);
    if (id !== null && sent.has(id)) idOfRequest.set(request.id, id);
  }

  const note = (text: string): void => {
    if (verdicts.examples.length < 5) verdicts.examples.push(text);
  };
  const portsOfLoad = new Set(load.map(({ sinkPort }) => sinkPort));

  /** Whether the effect carries the mark of `owner`; null where it carries none of this load. */
  const belongsTo = (effect: EffectView, owner: LoadResult): boolean | null => {
    if (effect.type === 'connect')
      return portsOfLoad.has(effect.port) ? effect.port === owner.sinkPort : null;
    const mark = markOf(effect);
    return mark === null || !sent.has(mark) ? null : mark === owner.id;
  };

  const placed = (requestId: string, effect: EffectView): void => {
    const owner = sent.get(idOfRequest.get(requestId) ?? '');
    if (owner === undefined) {
      // A request of something else must not get effects that carry our marks.
      if (effect.type !== 'connect' && sent.has(markOf(effect) ?? '')) {
        verdicts.wrong++;
        note(`on a foreign request: ${JSON.stringify(effect)}`);
      }
      return;
    }
    const isOwn = belongsTo(effect, owner);
    if (isOwn === null) return;
    if (isOwn) {
      verdicts.right++;
      verdicts.grades[effect.grade] = (verdicts.grades[effect.grade] ?? 0) + 1;
    } else {
      verdicts.wrong++;
      note(`on ${owner.target}: ${JSON.stringify(effect)}`);
    }
  };

  for (const request of trace.requests) for (const effect of request.effects) placed(request.id, effect);
  for (const { request, effect } of trace.late) placed(request, effect);

  let candidateCount = 0;
  let orphanCount = 0;
  for (const { effect, candidates } of trace.orphans) {
    const known = candidates
      .map((candidate) => sent.get(idOfRequest.get(candidate) ?? ''))
      .filter((one) => one !== undefined);
    const mark = effect.type === 'connect' ? null : markOf(effect);
    const isMarked = effect.type === 'connect' ? portsOfLoad.has(effect.port) : sent.has(mark ?? '');
    if (!isMarked) continue;
    candidateCount += candidates.length;
    orphanCount++;
    if (known.some((owner) => belongsTo(effect, owner) === true)) {
      verdicts.ambiguous++;
    } else {
      verdicts.misled++;
      note(`candidates ${known.map(({ id }) => id).join(' ')}: ${JSON.stringify(effect)}`);
    }
  }
  verdicts.meanCandidates = orphanCount === 0 ? 0 : candidateCount / orphanCount;
  const { expected, right, wrong, ambiguous, misled } = verdicts;
  verdicts.missing = expected - right - wrong - ambiguous - misled;
  return verdicts;
}

function markOf(effect: EffectView): string | null {
  switch (effect.type) {
    case 'exec':
      return idIn(effect.argv.join(' '));
    case 'open':
      return idIn(effect.path) ?? idIn(effect.resolvedPath);
    case 'query':
      return idIn(effect.statement) ?? idIn(effect.parameters.join(' '));
    case 'action':
    case 'connect':
    case 'exit':
      return null;
  }
}

/** One line of figures. */
export function figures(verdicts: Verdicts): string {
  const { expected, right, wrong, ambiguous, misled, missing, meanCandidates, grades } = verdicts;
  const share = ((100 * right) / expected).toFixed(1);
  const gradeText = Object.entries(grades)
    .map(([grade, count]) => `${count} ${grade}`)
    .join(', ');
  return (
    `${expected} effects: ${right} right (${share} %: ${gradeText}), ${wrong} wrong, ${ambiguous} ambiguous ` +
    `(of ${meanCandidates.toFixed(1)}), ${misled} misled, ${missing} missing`
  );
}
