import type { Attribution, Grade } from '../model/effect.ts';
import type { Request } from '../model/request.ts';

/** The reason where a message is the cause, or may be, that we have not read. */
export const UNKNOWN_STAMP = 'the thread had read a message that was not captured';

export const NO_REQUEST: Attribution = {
  grade: 'none',
  reason: 'the process was serving no request',
  request: null,
  candidates: [],
};

/** One of these, as far as is known; of none, where there are none. */
export function ambiguous(candidates: Iterable<Request>, reason: string): Attribution {
  const list = [...candidates];
  if (list.length === 0) return NO_REQUEST;
  return { grade: 'ambiguous' satisfies Grade, reason, request: null, candidates: list };
}
