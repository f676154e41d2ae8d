import type { RequestSummaryView, RequestView } from '../views.ts';
import { effectTree } from './effect-tree.ts';
import { clientText, requestText, serverText, statusText } from './parties-text.ts';
import type { Terminal } from './terminal.ts';
import { treeLines } from './tree-lines.ts';
import { clipped, displayWidth } from './width.ts';
import { countText, durationText, placeText } from './wording.ts';

const MAX_TREE_LINES = 200;
/** Narrower than that, a target says nothing any more: who asked whom goes to a line of its own. */
const MIN_TARGET_COLUMNS = 32;
/** From here on a reader wants to know why. */
const SLOW_MS = 1000;

export interface RequestTextOptions {
  /** Show everything: the files that programs read while they start, and trees of any size. */
  readonly showsAll: boolean;
}

/**
 * One line for the request, then the tree of what it did. Ends with a line feed.
 *
 * @param behind requests as which a proxy sent it on, by id: they stand in the tree
 */
export function requestTreeText(
  request: RequestView,
  terminal: Terminal,
  options: RequestTextOptions,
  behind?: ReadonlyMap<string, RequestView>,
): string {
  const tree = requestTree(request.effects, request.server.pid, terminal, options, behind);
  const remarks = remarksOf(request, terminal);
  const lines = [...requestLines(request, terminal, tree.length > 0), ...tree];
  if (remarks.length > 0)
    lines.push(
      clipped(
        terminal.paint('yellow', `  ! ${remarks.join('; ')}`),
        terminal.columns,
        terminal.symbols.ellipsis,
      ),
    );
  return lines.join('\n') + '\n';
}

/** What a request did, as lines. */
export function requestTree(
  effects: RequestView['effects'],
  serverPid: number,
  terminal: Terminal,
  options: RequestTextOptions,
  behind?: ReadonlyMap<string, RequestView>,
): string[] {
  return treeLines(effectTree(effects, serverPid), terminal, {
    showsAll: options.showsAll,
    maxLines: options.showsAll ? Number.MAX_SAFE_INTEGER : MAX_TREE_LINES,
    ...(behind === undefined ? {} : { behind }),
  });
}

/**
 * The request itself: one line where the terminal is wide enough, with a cut target; else who asked whom stands on a
 * second one.
 */
function requestLines(request: RequestSummaryView, terminal: Terminal, hasTree: boolean): string[] {
  const { columns, symbols } = terminal;
  const time = terminal.paint('dim', terminal.timeOfDay(request.startedAt));
  const target = requestText(request, terminal, 400);
  const outcome = outcomeText(request, terminal);
  const parties = partiesText(request, terminal);
  const line = (shown: string): string =>
    [time, terminal.paint('bold', shown), outcome].filter((part) => part !== '').join('  ');
  const whole = `${line(target)}  ${parties}`;
  if (columns === null || displayWidth(whole) <= columns) return [whole];
  const room = columns - (displayWidth(whole) - displayWidth(target));
  if (room >= MIN_TARGET_COLUMNS) return [`${line(clipped(target, room, symbols.ellipsis))}  ${parties}`];
  const alone = columns - (displayWidth(line(target)) - displayWidth(target));
  const first = line(clipped(target, Math.max(8, alone), symbols.ellipsis));
  const second = terminal.paint('dim', hasTree ? symbols.vertical : symbols.blank) + parties;
  return [first, second].map((one) => clipped(one, columns, symbols.ellipsis));
}

/** A request in a few words, for lines about it: 'GET /ping?host=… (r-7f3a-12)'. */
export function shortRequestText(request: RequestSummaryView, terminal: Terminal, limit = 48): string {
  const text = clipped(requestText(request, terminal, limit), limit, terminal.symbols.ellipsis);
  return `${text} ${terminal.paint('dim', `(${terminal.safe(request.id, 60)})`)}`;
}

function outcomeText(request: RequestSummaryView, terminal: Terminal): string {
  const status = statusText(request.status, terminal);
  if (request.durationMs === null) return status;
  const duration = durationText(request.durationMs);
  return `${status}  ${request.durationMs >= SLOW_MS ? terminal.paint('yellow', duration) : duration}`;
}

function partiesText(request: RequestSummaryView, terminal: Terminal): string {
  const { container, unit } = request.server;
  // A session's scope is where a person is logged in: no name of a service.
  const place = placeText({ container, unit: unit?.endsWith('.scope') === true ? null : unit }, terminal);
  const client = terminal.paint('dim', `${clientText(request, terminal)} ${terminal.symbols.arrow}`);
  const service = serverText(request, terminal) + (place === '' ? '' : terminal.paint('dim', ` ${place}`));
  return `${client} ${service}  ${terminal.paint('dim', terminal.safe(request.id, 60))}`;
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
