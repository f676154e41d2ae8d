import { disguiseText, execText, gradeMark } from './effect-line.ts';
import type { ProgramNode } from './effect-tree.ts';
import type { Terminal } from './terminal.ts';
import { displayWidth, wrapped } from './width.ts';
import { durationText, exitText } from './wording.ts';

export interface ProgramLineOptions {
  /** User of whoever started it; null where that is unknown. */
  readonly uid: number | null;
  /** Columns that the line may take. */
  readonly width: number;
  /** How often the same program ran in a row. */
  readonly count: number;
  readonly isDecisive: boolean;
  /** What else there is to say, dim. */
  readonly remark: string;
}

/** A command may take so many lines: it is what a reader came for. */
const MAX_COMMAND_LINES = 4;
/** The lines after the first stand below it, this far to the right. */
const CONTINUATION_COLUMNS = 3;

/**
 * A program: its command, then who, how long, and how it ended. One line where there is room; else the command goes on
 * over several.
 */
export function programLines(node: ProgramNode, terminal: Terminal, options: ProgramLineOptions): string[] {
  const { exec } = node;
  const facts = factsText(node, terminal, options);
  const remark = options.remark === '' ? '' : `  ${terminal.paint('dim', options.remark)}`;
  if (exec === null) return [`${terminal.safe(node.comm, 40)}  ${facts}${remark}`];
  const disguise = disguiseText(exec, terminal);
  const end = `  ${facts}${gradeMark(exec, terminal)}`;
  const style = options.isDecisive ? 'attack' : 'bold';
  const command = execText(exec, terminal);
  for (const rest of [disguise + end + remark, disguise + end])
    if (displayWidth(command) + displayWidth(rest) <= options.width)
      return [terminal.paint(style, command) + rest];
  const width = Math.max(10, options.width - CONTINUATION_COLUMNS);
  const { ellipsis } = terminal.symbols;
  const lines = wrapped(command, options.width, width, MAX_COMMAND_LINES, ellipsis);
  const last = lines.at(-1) ?? '';
  const fits = (text: string): boolean => displayWidth(text.trimStart()) <= width;
  const below = [disguise + end + remark, disguise + end].find(fits) ?? end;
  const painted = lines.map((line) => terminal.paint(style, line));
  if (displayWidth(last) + displayWidth(disguise + end) > width) return [...painted, below.trimStart()];
  return [...painted.slice(0, -1), (painted.at(-1) ?? '') + disguise + end];
}

function factsText(node: ProgramNode, terminal: Terminal, options: ProgramLineOptions): string {
  const { exec, exitCode } = node;
  const { uid, count } = options;
  const facts = [`pid ${node.pid}${count > 1 ? ` and ${count - 1} more` : ''}`];
  if (exec !== null && exec.uid !== uid)
    facts.push(`as ${exec.user === null ? `uid ${exec.uid}` : terminal.safe(exec.user, 40)}`);
  if (exec !== null && node.endedAt !== null) facts.push(elapsedText(exec.time, node.endedAt));
  const hasNewPrivilege = exec !== null && exec.uid === 0 && uid !== null && uid !== 0;
  const text = terminal.paint(hasNewPrivilege ? 'yellow' : 'dim', facts.join(', '));
  if (exitCode === null) return text;
  const end = terminal.paint(exitCode === 0 ? 'dim' : 'yellow', exitText(exitCode));
  return `${text}${terminal.paint('dim', ',')} ${end}`;
}

/** Times have milliseconds and no more. */
function elapsedText(from: string, until: string): string {
  const ms = Date.parse(until) - Date.parse(from);
  return ms >= 1 ? durationText(ms) : '<1 ms';
}
