import type { ByteString } from '../../base/bytes.ts';
import { directoryLeft, isUnder, normalisePath } from '../../base/path.ts';
import { printable } from '../../base/printable.ts';
import type { Effect, OpenEffect } from '../../model/effect.ts';
import type { Detection, Evidence, Severity, Verdict } from '../../model/finding.ts';
import type { Request } from '../../model/request.ts';
import { CandidateBudget } from '../candidate-budget.ts';
import type { Detector } from '../contract.ts';
import { describeInput, findNeedle } from '../needles.ts';
import { sensitivePath, type SensitivePath } from '../sensitive-paths.ts';
import { RoutineOpens } from './routine.ts';
import {
  traversalNeedles,
  type AbsoluteNeedle,
  type ClimbingNeedle,
  type TraversalNeedles,
} from './traversal-needles.ts';

const NAME = 'path-traversal';

/**
 * Path traversal and file inclusion (CWE-22, CWE-98) as opens show them. Three proofs, the strongest first:
 *
 * 1. The value's own `..` stand in the path as passed and lead out of the directory before them. A `..` that stays
 *    inside is none, nor is a value that ends where it began.
 * 2. Frameworks normalise first: no dots are left, but the path is what remains of the value when it climbs as far as
 *    it asks, and the file is on the list of sensitive paths.
 * 3. The value is the absolute path as passed, and the file is on that list. An absolute path that is not on the list
 *    is nothing: file managers and storage services take them by design, and behavior has to tell.
 *
 * For 2 and 3 chance has to be excluded: files that C libraries open (`/etc/passwd`) count only in the process that
 * read the request, files that applications open for every request only when other requests did without them.
 *
 * An open that was refused for lack of permission is SUSPICIOUS, one that found nothing PROBED.
 */
export function createPathTraversal(): Detector {
  const routine = new RoutineOpens();
  const budget = new CandidateBudget();
  return {
    name: NAME,
    onRequest(request: Request): readonly Detection[] {
      routine.countRequest(request);
      return [];
    },
    onEffect(effect: Effect): readonly Detection[] {
      if (effect.type !== 'open') return [];
      const { request, candidates } = effect.attribution;
      const possible = request === null ? candidates : [request];
      let matches: Match[] | null = null;
      let isPlain = true;
      for (const candidate of possible) {
        if (request === null && !budget.admits(candidate.message, effect.timeNs)) break;
        const needles = traversalNeedles(candidate.message);
        if (request === null)
          budget.learn(candidate.message, needles === null ? 0 : candidate.message.inputs.length);
        if (needles === null) continue;
        isPlain = false;
        const match = matchRequest(effect, candidate, needles, routine);
        if (match !== null) (matches ??= []).push(match);
      }
      if (matches !== null) return [detection(effect, matches)];
      const first = possible[0];
      if (isPlain && first !== undefined && effect.error === 0 && sensitivePath(effect.path) !== null) {
        routine.learn(effect, first);
      }
      return [];
    },
  };
}

interface Match {
  readonly request: Request;
  /** What an open that succeeded would prove. */
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly isInclusion: boolean;
}

function matchRequest(
  effect: OpenEffect,
  request: Request,
  needles: TraversalNeedles,
  routine: RoutineOpens,
): Match | null {
  for (const needle of needles.climbing) {
    const match = matchPassed(effect, request, needle);
    if (match !== null) return match;
  }
  const sensitive = sensitivePath(effect.resolvedPath) ?? sensitivePath(normalisePath(effect.path));
  if (sensitive === null) return null;
  const verdict = verdictByChance(effect, request, sensitive, routine);
  if (verdict === null) return null;
  for (const needle of needles.climbing) {
    const match = matchNormalised(effect, request, needle, verdict);
    if (match !== null) return match;
  }
  for (const needle of needles.absolute) {
    const match = matchAbsolute(effect, request, needle, verdict);
    if (match !== null) return match;
  }
  return null;
}

/** Proof 1: the dots stand in the path as passed, and lead out. */
function matchPassed(
  effect: OpenEffect,
  request: Request,
  { input, form, wholes }: ClimbingNeedle,
): Match | null {
  const { path, resolvedPath } = effect;
  const at = path.endsWith(form) ? path.length - form.length : findNeedle(path, form);
  if (at === -1 || wholes.some((whole) => whole !== form && path.includes(whole))) return null;
  const { workingDirectory } = effect.process;
  const left = directoryLeft(path, at, workingDirectory);
  if (left === null) return null;
  // Links and a changed working directory make the text lie; where the kernel ended up does not.
  if (left.startsWith('/') && isUnder(resolvedPath, left)) return null;
  const directory = left === '' ? 'the working directory' : `\`${printable(left, 120)}\``;
  const note = `its .. segments lead out of ${directory} to \`${printable(resolvedPath, 200)}\``;
  return {
    request,
    verdict: 'EXPLOITED',
    isInclusion: isPhp(effect),
    evidence: { source: describeInput(input), value: form, sink: 'path', sinkValue: path, offset: at, note },
  };
}

/** Proof 2: what is left of the value when it was normalised before the open. */
function matchNormalised(
  effect: OpenEffect,
  request: Request,
  { input, form, tail }: ClimbingNeedle,
  verdict: Verdict,
): Match | null {
  if (tail.length < 3) return null;
  const [sink, sinkValue] = endsWithTail(effect, tail);
  if (sink === null) return null;
  const note = `climbs to \`${printable(tail, 200)}\`, which is what was opened`;
  return {
    request,
    verdict,
    isInclusion: isPhp(effect),
    evidence: {
      source: describeInput(input),
      value: form,
      sink,
      sinkValue,
      offset: sinkValue.endsWith(form) ? sinkValue.length - form.length : -1,
      note,
    },
  };
}

function endsWithTail(
  effect: OpenEffect,
  tail: ByteString,
): ['path' | 'resolved path', ByteString] | [null, ''] {
  const { path, resolvedPath } = effect;
  // The kernel resolves links (/proc/self, /var/run): the path as passed is what the framework made.
  if (path.startsWith('/') && (path.endsWith(tail) || normalisePath(path).endsWith(tail)))
    return ['path', path];
  return resolvedPath.endsWith(tail) ? ['resolved path', resolvedPath] : [null, ''];
}

/** Proof 3: the value is the path. */
function matchAbsolute(
  effect: OpenEffect,
  request: Request,
  { input, form, path, hasScheme }: AbsoluteNeedle,
  verdict: Verdict,
): Match | null {
  if (effect.path !== path && normalisePath(effect.path) !== path) return null;
  return {
    request,
    verdict,
    isInclusion: hasScheme || isPhp(effect),
    evidence: {
      source: describeInput(input),
      value: form,
      sink: 'path',
      sinkValue: effect.path,
      offset: effect.path === form ? 0 : -1,
      note: hasScheme ? 'names the file behind a scheme' : 'is the path that was opened',
    },
  };
}

/** What a sensitive file that a request names proves when it was opened; null where it may well be chance. */
function verdictByChance(
  effect: OpenEffect,
  request: Request,
  sensitive: SensitivePath,
  routine: RoutineOpens,
): Verdict | null {
  if (routine.isRoutine(effect)) return null;
  switch (sensitive.kind) {
    case 'system':
      return 'EXPLOITED';
    case 'library':
      return effect.process.executable === request.process.executable ? 'EXPLOITED' : null;
    case 'application':
      return routine.isSettled(request) ? 'EXPLOITED' : 'SUSPICIOUS';
  }
}

function isPhp(effect: OpenEffect): boolean {
  return (
    /\/(?:php[^/]*|apache2|httpd)$/.test(effect.process.executable) &&
    /\.(?:php\d?|phtml|inc)$/.test(effect.path)
  );
}

const EPERM = 1;
const EACCES = 13;

function verdictOf(effect: OpenEffect, match: Match): Verdict {
  if (effect.error === 0) return match.verdict;
  return effect.error === EACCES || effect.error === EPERM ? 'SUSPICIOUS' : 'PROBED';
}

function severityOf(effect: OpenEffect, verdict: Verdict, sensitive: SensitivePath | null): Severity {
  if (verdict === 'PROBED') return 'low';
  if (effect.error !== 0) return 'medium';
  if (effect.isWrite) return 'critical';
  const severity = sensitive?.severity ?? 'high';
  return verdict === 'SUSPICIOUS' && severity === 'critical' ? 'high' : severity;
}

/** One detection for an open; several requests that carry the same bytes name none. */
function detection(effect: OpenEffect, matches: readonly Match[]): Detection {
  const best = matches.find(({ verdict }) => verdict === 'EXPLOITED') ?? matches[0];
  if (best === undefined) throw new Error('no match');
  const verdict = verdictOf(effect, best);
  const sensitive = sensitivePath(effect.resolvedPath) ?? sensitivePath(normalisePath(effect.path));
  const isShared = matches.length > 1;
  const shared = isShared ? ` (${matches.length} requests in flight carry these bytes)` : '';
  const file = `\`${printable(effect.resolvedPath, 160)}\`${sensitive === null ? '' : ` (${sensitive.label})`}`;
  const deed = effect.error === 0 ? (effect.isWrite ? 'writes' : 'opens') : 'tried to open';
  return {
    detector: NAME,
    verdict,
    class: NAME,
    severity: severityOf(effect, verdict, sensitive),
    title: `Path traversal: ${best.evidence.source} ${deed} ${file}`,
    cwe: best.isInclusion ? [98, 22] : [22],
    attack: effect.isWrite ? ['T1190', 'T1105'] : ['T1190', 'T1083', 'T1005'],
    request: isShared ? null : best.request,
    effect,
    evidence: [{ ...best.evidence, note: best.evidence.note + shared }],
  };
}
