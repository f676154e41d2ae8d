import type { EffectView, FindingView, RequestSummaryView } from '../views.ts';
import { effectTree } from './effect-tree.ts';
import { markedValue } from './marked-value.ts';
import { clientText, frontText, requestText, serverText } from './parties-text.ts';
import type { Style, Terminal } from './terminal.ts';
import { treeLines } from './tree-lines.ts';
import { commandText, durationText, placeText } from './wording.ts';

const LABEL_WIDTH = 13;
const MAX_EVIDENCE = 3;
const MAX_STORY_LINES = 80;

const VERDICT_STYLES: Readonly<Record<FindingView['verdict'], Style>> = {
  EXPLOITED: 'inverseRed',
  SUSPICIOUS: 'inverseYellow',
  BLOCKED: 'inverseGreen',
  PROBED: 'dim',
};

/** A finding for people: PROBED on one line, everything that had an effect as a story. Ends with a line feed. */
export function findingText(finding: FindingView, terminal: Terminal): string {
  return finding.verdict === 'PROBED' ? probeLine(finding, terminal) : story(finding, terminal);
}

function probeLine(finding: FindingView, terminal: Terminal): string {
  const { request } = finding;
  const parts = [
    terminal.paint('dim', terminal.timeOfDay(finding.time)),
    terminal.paint('yellow', 'PROBED'),
    terminal.safe(finding.title, 160),
  ];
  if (request !== null) {
    parts.push(`${requestText(request, terminal, 160)}${answerText(request)}`);
    parts.push(
      terminal.paint('dim', `from ${clientText(request, terminal)} to ${serverText(request, terminal)}`),
    );
  }
  return parts.join('  ') + '\n';
}

function story(finding: FindingView, terminal: Terminal): string {
  const sections: (readonly [label: string, lines: readonly string[]])[] = [
    ['request', requestLines(finding, terminal)],
    ['service', serviceLines(finding, terminal)],
    ['evidence', evidenceLines(finding, terminal)],
    ['what it did', storyLines(finding, terminal)],
    ['certainty', isOfHost(finding) ? [] : [certaintyText(finding, terminal)]],
    ['response', finding.actions.map((action) => terminal.safe(action, 200))],
    ['reference', [terminal.paint('dim', referenceText(finding, terminal))]],
  ];
  const badge = terminal.hasColor ? ` ${finding.verdict} ` : finding.verdict;
  const heading = [
    terminal.paint(VERDICT_STYLES[finding.verdict], badge),
    terminal.paint('bold', terminal.safe(finding.title, 300)),
    terminal.paint('dim', `${finding.severity}, ${terminal.timeOfDay(finding.time)}`),
  ];
  const body = sections.flatMap(([label, lines]) => labelled(label, lines, terminal));
  return ['', heading.join('  '), '', ...body, ''].join('\n') + '\n';
}

function labelled(label: string, lines: readonly string[], terminal: Terminal): string[] {
  return lines.map((line, index) => {
    const left = index === 0 ? terminal.paint('dim', label.padEnd(LABEL_WIDTH)) : ' '.repeat(LABEL_WIDTH);
    return `  ${left}${line}`.trimEnd();
  });
}

/** It is about the host, not about anything that a process did. */
function isOfHost({ request, effect }: FindingView): boolean {
  return request === null && effect === null;
}

function requestLines(finding: FindingView, terminal: Terminal): string[] {
  const { request } = finding;
  if (isOfHost(finding)) return [];
  if (request === null) {
    const candidates = finding.attribution.candidates.map((id) => terminal.safe(id, 60));
    return [candidates.length === 0 ? 'none' : `one of ${candidates.join(', ')}`];
  }
  const answer = request.status === null ? 'not answered yet' : `answered ${request.status}`;
  const duration = request.durationMs === null ? '' : ` after ${durationText(request.durationMs)}`;
  const front = frontText(request, terminal);
  return [
    terminal.paint('bold', requestText(request, terminal, 400)),
    `from ${terminal.paint('bold', clientText(request, terminal))}, ${answer}${duration}`,
    ...(front === null ? [] : [terminal.paint('dim', front)]),
  ];
}

function serviceLines(finding: FindingView, terminal: Terminal): string[] {
  const { request, process } = finding;
  if (request !== null) {
    const place = placeText(request.server, terminal);
    const exe = terminal.paint('dim', `(${terminal.safe(request.server.exe, 200)})`);
    return [[serverText(request, terminal), place, exe].filter((part) => part !== '').join('  ')];
  }
  if (process === null) return [];
  const command = commandText(process.argv, terminal, 160);
  const place = placeText(process, terminal);
  return [
    `${terminal.safe(process.comm, 40)}[${process.pid}]  ${command}${place === '' ? '' : `  ${place}`}`,
  ];
}

function evidenceLines({ evidence, effect }: FindingView, terminal: Terminal): string[] {
  const owner = effect?.type === 'exec' ? ` of ${terminal.safe(effect.comm, 40)}[${effect.pid}]` : '';
  const width = terminal.columns === null ? 160 : Math.max(40, terminal.columns - LABEL_WIDTH - 4);
  const lines = evidence.slice(0, MAX_EVIDENCE).flatMap((one) => {
    const source = terminal.paint('bold', terminal.safe(one.source, 120));
    const note = terminal.safe(one.note, 300);
    if (one.sink === null) return [`${source}: ${terminal.safe(one.value, 200)}`, note];
    const value = one.offset >= 0 ? '' : ` = ${terminal.safe(one.value, 200)}`;
    const place = `${source}${value} stands in ${terminal.safe(one.sink, 80)}${owner}`;
    return [place, ...markedValue(one, terminal, width), note].filter((line) => line !== '');
  });
  const rest = evidence.length - MAX_EVIDENCE;
  return rest > 0 ? [...lines, terminal.paint('dim', `+ ${rest} more`)] : lines;
}

function storyLines(finding: FindingView, terminal: Terminal): string[] {
  const { request, effect, process } = finding;
  const effects = finding.story.length > 0 || effect === null ? finding.story : [effect];
  if (effects.length === 0) return [];
  const rootPid = request?.server.pid ?? (effect?.type === 'exec' ? effect.ppid : (process?.pid ?? 0));
  const heading = request === null ? [] : [serverText(request, terminal)];
  const tree = treeLines(effectTree(effects, rootPid), terminal, {
    showsAll: false,
    maxLines: MAX_STORY_LINES,
    indent: LABEL_WIDTH + 2,
    isDecisive: (one) => effect !== null && isSameEffect(one, effect),
  });
  return [...heading, ...tree];
}

/** The story crosses a thread boundary as a copy: identity is in the fields. */
function isSameEffect(a: EffectView, b: EffectView): boolean {
  if (a.type !== b.type || a.pid !== b.pid || a.tid !== b.tid || a.time !== b.time) return false;
  if (a.type === 'open' && b.type === 'open') return a.path === b.path && a.resolvedPath === b.resolvedPath;
  if (a.type === 'connect' && b.type === 'connect') return a.address === b.address && a.port === b.port;
  if (a.type === 'exec' && b.type === 'exec') return a.executable === b.executable;
  return true;
}

function certaintyText(finding: FindingView, terminal: Terminal): string {
  const { grade, reason } = finding.attribution;
  const style = grade === 'exact' || grade === 'linked' || grade === 'matched' ? 'green' : 'yellow';
  return `${terminal.paint(style, grade)}: ${terminal.safe(reason, 200)}`;
}

function referenceText(finding: FindingView, terminal: Terminal): string {
  const references = [
    finding.class,
    ...finding.cwe.map((number) => `CWE-${number}`),
    ...finding.attack.map((id) => `ATT&CK ${id}`),
    `finding ${finding.id}`,
  ];
  return references.map((reference) => terminal.safe(reference, 80)).join(', ');
}

function answerText(request: RequestSummaryView): string {
  return request.status === null ? '' : `  ${request.status}`;
}
