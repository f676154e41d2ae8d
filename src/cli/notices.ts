import { ThroughlineError } from '../base/errors.ts';
import type { Terminal } from '../output/text/terminal.ts';
import { countText, durationText, lossText, sizeText } from '../output/text/wording.ts';
import type { LossView } from '../output/views.ts';
import type {
  AlertCounts,
  EffectCounts,
  ProgressMessage,
  RulesMessage,
  RuleUse,
  RunSummary,
  StartedMessage,
} from './contract.ts';

/** What a command tells the person who started it, beside its results. All end with a line feed but progress. */

/** @param next where to look now, one line each */
export function startedNotice(started: StartedMessage, next: readonly string[], terminal: Terminal): string {
  const product = terminal.paint('bold', `Throughline ${terminal.safe(started.version, 40)}`);
  const kernel = terminal.safe(started.kernel, 120);
  const what =
    started.source === 'live' ? `observes this host, ${kernel}` : `replays a recording of ${kernel}`;
  const lines = [`${product} ${what}`];
  if (started.source === 'live') {
    lines.push(`attached in ${durationText(started.startupMs)}`);
    lines.push(...started.attached.map((line) => `  ${terminal.safe(line, 200)}`));
  }
  lines.push(...next);
  return lines.map((line) => line + '\n').join('');
}

export function lossNotice(loss: LossView, terminal: Terminal): string {
  const text = `lost events: ${lossText(loss.reasons, terminal)}`;
  return `${terminal.paint('dim', terminal.timeOfDay(loss.time))}  ${terminal.paint('yellow', text)}\n`;
}

export function rulesNotice({ rules, files, reading, hashing }: RulesMessage, terminal: Terminal): string {
  const lines = [`${countText(rules, 'rule')} in force, of ${countText(files, 'file')}`];
  const listed = (names: readonly string[]): string => {
    const first = names.slice(0, 5).map((name) => terminal.safe(name, 80));
    const more = names.length > first.length ? ` and ${names.length - first.length} more` : '';
    return first.join(', ') + more;
  };
  if (reading.length > 0) lines.push(`every request is read, which costs, for: ${listed(reading)}`);
  if (hashing.length > 0)
    lines.push(
      `programs are hashed, a moment after they were started, for: ${listed(hashing)}; where a hash cannot be known, checks of it are false, which is counted`,
    );
  return lines.map((line) => `${line}\n`).join('');
}

/** What became of alerts: one line for each output. */
function alertLines({ alerts }: RunSummary, terminal: Terminal): string[] {
  if (alerts === null) return [];
  const outputs = alerts.outputs.map(({ name, delivered, dropped }) => {
    const lost =
      dropped === 0 ? '' : terminal.paint('yellow', `, ${dropped.toLocaleString('en-US')} dropped`);
    return `${delivered.toLocaleString('en-US')} delivered to ${terminal.safe(name, 200)}${lost}`;
  });
  const held = alerts.heldBack === 0 ? '' : `, ${alerts.heldBack.toLocaleString('en-US')} held back`;
  const text = `${countText(alerts.raised, 'alert')}${terminal.paint('yellow', held)}`;
  return [text, ...outputs, ...ruleLines(alerts, terminal)];
}

/** Rules that are told in the summary. */
const SHOWN_RULES = 3;

/** Those that took most of the time, that were switched off, and whose alerts were held back. */
function ruleLines({ rules, seen, timeMs }: AlertCounts, terminal: Terminal): string[] {
  const named = (rule: RuleUse) => `'${terminal.safe(rule.rule, 80)}'`;
  const total = rules.reduce((sum, { timeMs }) => sum + timeMs, 0);
  const dear = rules.filter(({ timeMs }) => timeMs > 0).slice(0, SHOWN_RULES);
  const shares = dear.map((rule) => `${named(rule)} ${Math.round((100 * rule.timeMs) / total)} %`);
  const most = shares.length === 0 ? '' : `; most of what they are run: ${shares.join(', ')}`;
  const eventUs = (1000 * timeMs) / Math.max(1, seen);
  const lines =
    timeMs === 0 ? [] : [`rules took ${durationText(timeMs)}, ${eventUs.toFixed(1)} us an event${most}`];
  const broken = rules.filter(({ isBroken }) => isBroken).map(named);
  if (broken.length > 0)
    lines.push(terminal.paint('red', `rules that were switched off by a bug: ${broken.join(', ')}`));
  const held = rules.filter(({ heldBack }) => heldBack > 0).toSorted((a, b) => b.heldBack - a.heldBack);
  for (const rule of held.slice(0, SHOWN_RULES))
    lines.push(`${rule.heldBack.toLocaleString('en-US')} alerts held back of ${named(rule)}`);
  return lines;
}

export function progressNotice(progress: ProgressMessage): string {
  const parts = [countText(progress.events, 'event')];
  if (progress.position !== null) parts.unshift(`${Math.floor(progress.position * 100)} %`);
  if (progress.recordedBytes > 0) parts.push(`${sizeText(progress.recordedBytes)} recorded`);
  return parts.join(', ');
}

/** How the requests of effects are known; '' where there were none. */
function effectsText({ disagreements, contentSkipped, ...grades }: EffectCounts): string {
  const known = Object.entries(grades).filter(([, count]) => count > 0);
  if (known.length === 0) return '';
  const parts = known.map(([grade, count]) => `${count.toLocaleString('en-US')} ${grade}`);
  const total = known.reduce((sum, [, count]) => sum + count, 0);
  if (disagreements > 0) parts.push(countText(disagreements, 'disagreement'));
  if (contentSkipped > 0) parts.push(`${contentSkipped.toLocaleString('en-US')} not searched for bytes`);
  return `${countText(total, 'effect')}: ${parts.join(', ')}`;
}

/** What came of asking for the names of containers; '' where there were none. */
function containersText({ containers }: RunSummary): string {
  if (containers === null || containers.asked === 0) return '';
  const { asked, named, ...others } = containers;
  const parts = Object.entries({ named, ...others })
    .filter(([name, count]) => name === 'named' || count > 0)
    .map(([name, count]) => `${count.toLocaleString('en-US')} ${name}`);
  return `${countText(asked, 'container')}: ${parts.join(', ')}`;
}

/** What came of asking for hashes; '' where nobody did. */
function hashesText({ hashes }: RunSummary): string {
  if (hashes === null || hashes.asked === 0) return '';
  const { asked, hashed, known, ...others } = hashes;
  const parts = Object.entries({
    hashed,
    'known before': known,
    ...others,
    tooLarge: 0,
    'too large': others.tooLarge,
  })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count.toLocaleString('en-US')} ${name}`);
  return `${countText(asked, 'executable')} to hash: ${parts.join(', ')}`;
}

/** Counts of what is ordinary, or told by the lines above. */
const ORDINARY = new Set([
  'events',
  'requests',
  'detections',
  'findings',
  'exact',
  'linked',
  'matched',
  'ambiguous',
  'none',
  'disagreements',
  'content skipped',
]);

function oddCounts(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !ORDINARY.has(name)));
}

/** @param recordedTo the file that was recorded to, or null */
export function summaryNotice(summary: RunSummary, recordedTo: string | null, terminal: Terminal): string {
  const parts = [
    countText(summary.events, 'event'),
    countText(summary.requests, 'request'),
    countText(summary.findings, 'finding'),
  ];
  const losses = lossText(summary.losses, terminal);
  const lost = losses === '' ? 'nothing lost' : terminal.paint('yellow', `lost: ${losses}`);
  const lines = [`${durationText(summary.durationMs)}: ${parts.join(', ')}, ${lost}`];
  if (effectsText(summary.effects) !== '') lines.push(effectsText(summary.effects));
  for (const [part, counts] of Object.entries(summary.counters)) {
    const odd = lossText(oddCounts(counts), terminal);
    if (odd !== '') lines.push(terminal.paint('dim', `${terminal.safe(part, 40)}: ${odd}`));
  }
  for (const { library, path, hits } of summary.probeHits)
    lines.push(`${countText(hits, 'probe hit')} in ${library} (${terminal.safe(path, 200)})`);
  lines.push(...alertLines(summary, terminal));
  const containers = containersText(summary);
  if (containers !== '') lines.push(containers);
  const hashes = hashesText(summary);
  if (hashes !== '') lines.push(hashes);
  if (recordedTo !== null) {
    const file = terminal.safe(recordedTo, 200);
    lines.push(`${sizeText(summary.recordedBytes)} recorded; see it again: throughline replay ${file}`);
  }
  return lines.map((line) => line + '\n').join('');
}

/** An error in two lines: what, and what to do. Bugs show their stack above. */
export function errorNotice(error: unknown, terminal: Terminal): string {
  const known = asThroughlineError(error);
  const lines: string[] = [];
  if (known !== error && error instanceof Error) lines.push(...(error.stack ?? '').split('\n').slice(0, 30));
  const [first = '', ...rest] = known.message.split('\n');
  const safe = [...lines, ...rest].map((line) => terminal.safe(line, 300));
  const message = `throughline: ${terminal.paint('red', known.code)} ${terminal.safe(first, 600)}`;
  return [...safe, message, `  ${terminal.symbols.arrow} ${known.hint}`].map((line) => line + '\n').join('');
}

export interface ErrorView {
  readonly kind: 'error';
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export function errorView(error: unknown): ErrorView {
  const { code, message, hint } = asThroughlineError(error);
  return { kind: 'error', code, message, hint };
}

export function exitCodeOf(error: unknown): number {
  return asThroughlineError(error).exitCode;
}

/** Anything that is not in the catalogue is a bug. */
function asThroughlineError(error: unknown): ThroughlineError {
  if (error instanceof ThroughlineError) return error;
  return new ThroughlineError('TL9001', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
