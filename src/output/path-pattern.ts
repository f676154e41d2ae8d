import { byteStringFromText, type ByteString } from '../base/bytes.ts';
import { percentDecode } from '../base/percent.ts';
import { pathOfTarget } from '../base/route.ts';

/**
 * Which paths a user means: the beginning of a path, or, with a star in it, the whole of one. `*` stands for anything
 * within a segment, a segment `**` for any number of segments. Linear where it matters: paths are chosen by attackers.
 *
 * @param pattern ordinary text, such as '/api/' or '/v1/*.php'
 * @returns whether a request target (as sent, or percent-decoded once) is meant
 */
export function pathMatcher(pattern: string): (target: ByteString) => boolean {
  const bytes = byteStringFromText(pattern);
  const matches = bytes.includes('*')
    ? globMatcher(bytes)
    : (path: ByteString): boolean => path.startsWith(bytes);
  return (target) => {
    const path = pathOfTarget(target);
    return matches(path) || (path.includes('%') && matches(percentDecode(path)));
  };
}

function globMatcher(pattern: ByteString): (path: ByteString) => boolean {
  const wanted = pattern.split('/');
  return (path) =>
    matchesSequence(
      path.split('/'),
      wanted,
      (one) => one === '**',
      (segment, one) =>
        matchesSequence(
          [...segment],
          [...one],
          (character) => character === '*',
          (a, b) => a === b,
        ),
    );
}

/** The classic two pointers: on a mismatch only the last gap grows, so the work is at most the product of the lengths. */
function matchesSequence(
  actual: readonly string[],
  wanted: readonly string[],
  isGap: (wanted: string) => boolean,
  isSame: (actual: string, wanted: string) => boolean,
): boolean {
  let at = 0;
  let next = 0;
  let gap = -1;
  let gapStart = 0;
  while (at < actual.length) {
    const one = wanted[next];
    if (one !== undefined && isGap(one)) {
      gap = next++;
      gapStart = at;
    } else if (one !== undefined && isSame(actual[at] ?? '', one)) {
      at++;
      next++;
    } else if (gap >= 0) {
      next = gap + 1;
      at = ++gapStart;
    } else {
      return false;
    }
  }
  return wanted.slice(next).every(isGap);
}
