import type { Effect, Grade } from '../model/effect.ts';
import type { Process } from '../model/process.ts';
import type { Request } from '../model/request.ts';
import { pathMatcher } from './path-pattern.ts';

/** What a request can have done. `write` is an open for writing; `open` is any. */
export const HAS_KINDS = ['exec', 'open', 'write', 'connect', 'query'] as const;
export type HasKind = (typeof HAS_KINDS)[number];

/** Inclusive; `none` is a request without a reply. */
export type StatusRange = { readonly from: number; readonly to: number } | 'none';

/**
 * Which requests are wanted, as plain data: it crosses to the brain's thread, so that nothing is made of what nobody
 * wants. null: any. All conditions must hold; of a list, one is enough, but of `has` all.
 */
export interface RequestFilter {
  readonly path: string | null;
  /** Upper case. */
  readonly methods: readonly string[] | null;
  readonly statuses: readonly StatusRange[] | null;
  /** The process that serves, or an ancestor of it. */
  readonly pid: number | null;
  /** Beginning of a container's id, or its name. */
  readonly container: string | null;
  readonly has: readonly HasKind[] | null;
  readonly minDurationMs: number | null;
  /** Requests with an effect of such a grade. */
  readonly grades: readonly Grade[] | null;
}

/** A request and the effects to judge it by: its own, or also one that may be its own. */
export interface Subject {
  readonly request: Request;
  readonly effects: readonly Effect[];
}

export type Condition = (subject: Subject) => boolean;

/** Condition of each field. A new kind of condition, such as a rule, is one more row. */
const CONDITIONS: {
  readonly [Field in keyof RequestFilter]: (wanted: NonNullable<RequestFilter[Field]>) => Condition;
} = {
  path: (pattern) => {
    const matches = pathMatcher(pattern);
    return ({ request }) => matches(request.message.target);
  },
  methods: (methods) => {
    const wanted = new Set(methods);
    return ({ request }) => wanted.has(request.message.method.toUpperCase());
  },
  statuses:
    (ranges) =>
    ({ request }) =>
      ranges.some((range) => isInRange(request.status, range)),
  pid:
    (pid) =>
    ({ request }) =>
      isOrDescendsFrom(request.process, pid),
  container:
    (wanted) =>
    ({ request }) =>
      isInContainer(request.process, wanted),
  has:
    (kinds) =>
    ({ effects }) =>
      kinds.every((kind) => effects.some((effect) => isOfKind(effect, kind))),
  minDurationMs:
    (milliseconds) =>
    ({ request }) =>
      request.endedNs !== null && request.endedNs - request.startedNs >= milliseconds * 1e6,
  grades: (grades) => {
    const wanted = new Set<Grade>(grades);
    return ({ effects }) => effects.some((effect) => wanted.has(effect.attribution.grade));
  },
};

/** One condition that holds where all of the filter's do. */
export function requestCondition(filter: RequestFilter): Condition {
  const conditions = conditionsOf(filter);
  return (subject) => conditions.every((holds) => holds(subject));
}

/** Whether the filter asks for anything at all. */
export function isFiltering(filter: RequestFilter): boolean {
  return Object.values(filter).some((wanted) => wanted !== null);
}

/**
 * Whether an effect that no request can claim is wanted: judged by itself and its process. Never where the request
 * itself must be of some kind.
 */
export function acceptsAlone(filter: RequestFilter, effect: Effect): boolean {
  const { path, methods, statuses, minDurationMs, pid, container, has, grades } = filter;
  if (path !== null || methods !== null || statuses !== null || minDurationMs !== null) return false;
  if (pid !== null && !isOrDescendsFrom(effect.process, pid)) return false;
  if (container !== null && !isInContainer(effect.process, container)) return false;
  if (has !== null && !has.every((kind) => isOfKind(effect, kind))) return false;
  return grades === null || grades.includes(effect.attribution.grade);
}

function conditionsOf(filter: RequestFilter): Condition[] {
  const conditions: Condition[] = [];
  for (const field of Object.keys(CONDITIONS) as (keyof RequestFilter)[]) {
    const condition = conditionOf(field, filter);
    if (condition !== null) conditions.push(condition);
  }
  return conditions;
}

function conditionOf<Field extends keyof RequestFilter>(
  field: Field,
  filter: RequestFilter,
): Condition | null {
  const wanted: RequestFilter[Field] = filter[field];
  return wanted === null ? null : CONDITIONS[field](wanted);
}

function isInRange(status: number | null, range: StatusRange): boolean {
  if (range === 'none' || status === null) return range === 'none' && status === null;
  return status >= range.from && status <= range.to;
}

/** Longer chains than this are no real ancestry. */
const MAX_ANCESTORS = 64;

function isOrDescendsFrom(process: Process, pid: number): boolean {
  let depth = 0;
  for (let next: Process | null = process; next !== null && depth < MAX_ANCESTORS; next = next.parent) {
    if (next.pid === pid || next.parentPid === pid) return true;
    depth++;
  }
  return false;
}

function isInContainer({ containerId, container }: Process, wanted: string): boolean {
  return containerId !== null && (containerId.startsWith(wanted) || container?.name === wanted);
}

function isOfKind(effect: Effect, kind: HasKind): boolean {
  if (kind === 'write') return effect.type === 'open' && effect.isWrite;
  return effect.type === kind;
}
