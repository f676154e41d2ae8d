import type { LateEffectView, OrphanView, RequestView } from '../views.ts';
import { effectLine, gradeMark } from './effect-line.ts';
import { effectTree } from './effect-tree.ts';
import { clientText, requestText, serverText } from './finding-text.ts';
import type { Style, Terminal } from './terminal.ts';
import { treeLines } from './tree-lines.ts';
import { countText, durationText, placeText } from './wording.ts';

const MAX_TREE_LINES = 200;

export interface RequestTextOptions {
  /** Show everything: the files that programs read while they start, and trees of any size. */
  readonly showsAll: boolean;
}

/** One line for the request, then the tree of what it did. Ends with a line feed. */
export function requestTreeText(
  request: RequestView,
  terminal: Terminal,
  options: RequestTextOptions,
): string {
  const place = placeText(request.server, terminal);
  const limit = terminal.columns === null ? 400 : Math.max(40, terminal.columns - 60);
  const head = [
    terminal.paint('dim', terminal.timeOfDay(request.startedAt)),
    terminal.paint('bold', requestText(request, terminal, limit)),
    statusText(request.status, terminal),
    request.durationMs === null ? '' : durationText(request.durationMs),
    terminal.paint('dim', `${clientText(request, terminal)} ${terminal.symbols.arrow}`) +
      ` ${serverText(request, terminal)}` +
      (place === '' ? '' : terminal.paint('dim', ` ${place}`)),
    terminal.paint('dim', terminal.safe(request.id, 60)),
  ];
  const lines = [head.filter((part) => part !== '').join('  ')];
  lines.push(
    ...treeLines(effectTree(request.effects, request.server.pid), terminal, {
      showsLibraries: options.showsAll,
      maxLines: options.showsAll ? Number.MAX_SAFE_INTEGER : MAX_TREE_LINES,
    }),
  );
  const remarks = remarksOf(request, terminal);
  if (remarks.length > 0) lines.push(terminal.paint('yellow', `  ! ${remarks.join('; ')}`));
  return lines.join('\n') + '\n';
}

/** An effect that no request can claim for certain, with the requests that might. */
export function orphanText(orphan: OrphanView, terminal: Terminal): string {
  const { effect, candidates } = orphan;
  const who =
    candidates.length === 0
      ? terminal.safe(effect.reason, 120)
      : `${terminal.safe(effect.reason, 120)}; candidates: ${candidateText(candidates, terminal)}`;
  return (
    [
      terminal.paint('dim', terminal.timeOfDay(effect.time)),
      terminal.paint('yellow', `[${effect.grade}]`),
      `${terminal.safe(effect.comm, 40)}[${effect.pid}]`,
      effectLine(effect, terminal),
      terminal.paint('dim', `(${who})`),
    ].join('  ') + '\n'
  );
}

/** An effect of a request whose tree was printed already. */
export function lateEffectText(late: LateEffectView, terminal: Terminal): string {
  const { effect } = late;
  return (
    [
      terminal.paint('dim', terminal.timeOfDay(effect.time)),
      `${terminal.safe(effect.comm, 40)}[${effect.pid}]`,
      effectLine(effect, terminal) + gradeMark(effect, terminal),
      terminal.paint('dim', `(later effect of ${terminal.safe(late.request, 60)})`),
    ].join('  ') + '\n'
  );
}

function candidateText(candidates: readonly string[], terminal: Terminal): string {
  const shown = candidates.slice(0, 8).map((id) => terminal.safe(id, 60));
  const rest = candidates.length - shown.length;
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function statusText(status: number | null, terminal: Terminal): string {
  if (status === null) return terminal.paint('dim', 'no reply');
  return terminal.paint(statusStyle(status), String(status));
}

function statusStyle(status: number): Style {
  if (status >= 500) return 'red';
  return status >= 400 ? 'yellow' : 'green';
}

function remarksOf(request: RequestView, terminal: Terminal): string[] {
  const remarks: string[] = [];
  if (request.droppedEffects > 0)
    remarks.push(`${countText(request.droppedEffects, 'more effect')} not kept`);
  if (request.truncated) remarks.push('not captured as a whole');
  if (request.anomalies.length > 0) {
    remarks.push(`odd message: ${request.anomalies.map((name) => terminal.safe(name, 60)).join(', ')}`);
  }
  return remarks;
}
