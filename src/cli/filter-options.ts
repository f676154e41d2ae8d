import type { Grade } from '../model/effect.ts';
import {
  HAS_KINDS,
  isFiltering,
  type HasKind,
  type RequestFilter,
  type StatusRange,
} from '../output/request-filter.ts';
import { count, InvalidValueError, list, oneOf, value } from './option.ts';

/** Options that choose requests: the same for `trace` and `replay --trace`. */

const GRADES = ['exact', 'linked', 'matched', 'ambiguous'] as const satisfies readonly Grade[];
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

export const filterOptions = {
  path: value(
    'PATTERN',
    'only requests whose path begins so, or with * (in a segment) and ** (any segments) in it is like this as a whole',
    readPath,
  ),
  method: list('LIST', 'only requests with such a method, such as POST,PUT', readMethod),
  status: list('LIST', 'only requests with such a status: 404, 5xx, or none for no reply', readStatus),
  pid: count('PID', 'only requests that this process or a descendant of it served'),
  container: value(
    'ID',
    'only requests in this container: its name, or the beginning of its id',
    readContainer,
  ),
  has: list(
    'LIST',
    `only requests with an effect of each of these types: ${HAS_KINDS.join(', ')}`,
    (text): HasKind => oneOf(HAS_KINDS, text),
  ),
  'min-duration': value('MS', 'only requests that took at least so long (also 1.5s)', readMilliseconds),
  grade: list('LIST', `only requests with an effect that is known so: ${GRADES.join(', ')}`, (text): Grade =>
    oneOf(GRADES, text),
  ),
} as const;

/** The values of filterOptions. */
export interface FilterValues {
  readonly path: string | null;
  readonly method: readonly string[] | null;
  readonly status: readonly StatusRange[] | null;
  readonly pid: number | null;
  readonly container: string | null;
  readonly has: readonly HasKind[] | null;
  readonly 'min-duration': number | null;
  readonly grade: readonly Grade[] | null;
}

/** The filter that the options ask for; null where all requests are wanted. */
export function filterOf(values: FilterValues): RequestFilter | null {
  const { path, method, status, pid, container, has, grade } = values;
  const minDurationMs = values['min-duration'];
  const filter = {
    path,
    methods: method,
    statuses: status,
    pid,
    container,
    has,
    minDurationMs,
    grades: grade,
  };
  return isFiltering(filter) ? filter : null;
}

function readPath(text: string): string {
  if (!/^[/*]/.test(text))
    throw new InvalidValueError(
      `must begin with / or *, such as /api/ or /users/*/orders, not ${JSON.stringify(text)}`,
    );
  if (/[?#]/.test(text))
    throw new InvalidValueError(
      `is compared with paths alone: leave out the query of ${JSON.stringify(text)}`,
    );
  return text;
}

function readMethod(text: string): string {
  if (!/^[A-Za-z][\w-]{0,39}$/.test(text))
    throw new InvalidValueError(`must be methods such as GET or POST,PUT, not ${JSON.stringify(text)}`);
  return text.toUpperCase();
}

function readStatus(text: string): StatusRange {
  if (/^none$/i.test(text)) return 'none';
  const [, first, rest] = /^([1-5])(\d\d|xx)$/i.exec(text) ?? [];
  if (first === undefined || rest === undefined)
    throw new InvalidValueError(
      `must be a status such as 404, a class such as 5xx, or none, not ${JSON.stringify(text)}`,
    );
  const hundreds = Number(first) * 100;
  if (/x/i.test(rest)) return { from: hundreds, to: hundreds + 99 };
  return { from: hundreds + Number(rest), to: hundreds + Number(rest) };
}

function readContainer(text: string): string {
  if (!/^[\w.-]+$/.test(text))
    throw new InvalidValueError(
      `must be a container's name or the beginning of its id, as "docker ps" shows it, not ${JSON.stringify(text)}`,
    );
  return text;
}

function readMilliseconds(text: string): number {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidValueError(`must be milliseconds, or like 250ms or 1.5s, not ${JSON.stringify(text)}`);
  return Number(number) * (UNITS_MS[unit] ?? 1);
}
