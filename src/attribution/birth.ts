import type { Attribution } from '../model/effect.ts';
import type { OpenQuestion } from './open-question.ts';
import type { ServingProcess } from './serving.ts';
import { ambiguous, NO_REQUEST } from './verdicts.ts';

/** What is known of the request that a process was born in. */
export interface Birth {
  attribution: Attribution;
  /** The process has started a program of its own: it is no copy of the server any more. */
  hasProgram: boolean;
  /** The serving process that forked it, null deeper in the tree. */
  server: ServingProcess | null;
  /** While it is open, the attribution is provisional. */
  question: OpenQuestion | null;
}

/** Where an effect of a process belongs that was born in a request. */
export function placeByBirth(birth: Birth): Attribution {
  settle(birth);
  const { attribution, server } = birth;
  if (attribution.grade === 'ambiguous') return attribution;
  const request = attribution.request;
  if (request === null) return NO_REQUEST;
  if (!birth.hasProgram && server !== null) {
    // A copy of the server that runs its code: a worker of a pool would outlive the request and serve others.
    const candidates = new Set([request, ...server.inFlight]);
    if (candidates.size > 1 || request.endedNs !== null)
      return ambiguous(candidates, 'a forked copy of the server did it');
  }
  return {
    grade: attribution.grade,
    reason:
      attribution.grade === 'exact'
        ? 'the process was born in this request'
        : `born in it: ${attribution.reason}`,
    request,
    candidates: [request],
  };
}

/** What was provisional at its birth may be known meanwhile. */
function settle(birth: Birth): void {
  const { question } = birth;
  if (question === null || question.isOpen) return;
  birth.question = null;
  if (question.answer !== null && birth.attribution.grade === 'ambiguous')
    birth.attribution = question.answer;
}
