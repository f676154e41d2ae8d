import type { EffectView } from '../views.ts';
import { effectLine, gradeMark } from './effect-line.ts';
import { isProgram, type ProgramNode } from './effect-tree.ts';
import { isLibraryFile } from './library-files.ts';
import type { Terminal } from './terminal.ts';
import { countText, exitText } from './wording.ts';

export interface TreeOptions {
  /** Show the files that programs read while they start, too. */
  readonly showsLibraries: boolean;
  readonly maxLines: number;
  /** Columns that are taken at the left by whoever prints the lines. */
  readonly indent?: number;
  /** The effect that decided a finding: never folded, and highlighted. */
  readonly isDecisive?: (effect: EffectView) => boolean;
}

/** What is below the root of an effect tree, as indented lines. */
export function treeLines(root: ProgramNode, terminal: Terminal, options: TreeOptions): string[] {
  const lines: string[] = [];
  appendItems(root, '', null, { terminal, options, lines });
  if (lines.length <= options.maxLines) return lines;
  const hidden = lines.length - options.maxLines;
  const more = `${terminal.symbols.ellipsis} ${countText(hidden, 'more line')}; --json has everything`;
  return [...lines.slice(0, options.maxLines), terminal.paint('dim', more)];
}

interface Rendering {
  readonly terminal: Terminal;
  readonly options: TreeOptions;
  readonly lines: string[];
}

interface Entry {
  /** One line, without its indentation. */
  text: string;
  /** How often the same line stood there. */
  count: number;
  readonly program: ProgramNode | null;
}

function appendItems(node: ProgramNode, indent: string, uid: number | null, rendering: Rendering): void {
  const { terminal, lines } = rendering;
  const { symbols } = terminal;
  const entries = entriesOf(node, uid, indent.length, rendering);
  entries.forEach((entry, index) => {
    const isLast = index === entries.length - 1;
    const count = entry.count > 1 ? terminal.paint('dim', ` ${symbols.times}${entry.count}`) : '';
    const tree = terminal.paint('dim', indent + (isLast ? symbols.lastBranch : symbols.branch));
    lines.push(tree + entry.text + count);
    if (entry.program !== null) {
      const below = indent + (isLast ? symbols.blank : symbols.vertical);
      appendItems(entry.program, below, entry.program.exec?.uid ?? uid, rendering);
    }
  });
}

/** Items of one program as lines: equal ones counted, libraries folded into one at the end. */
function entriesOf(node: ProgramNode, uid: number | null, indent: number, rendering: Rendering): Entry[] {
  const { terminal, options } = rendering;
  const limit = textLimit(indent + (options.indent ?? 0), terminal);
  const entries: Entry[] = [];
  const byText = new Map<string, Entry>();
  const libraries = new Set<string>();
  for (const item of node.items) {
    if (isProgram(item)) {
      entries.push({ text: programLine(item, uid, limit, rendering), count: 1, program: item });
      continue;
    }
    const isDecisive = options.isDecisive?.(item) ?? false;
    if (!options.showsLibraries && !isDecisive && isLibraryFile(item)) {
      if (item.type === 'open') libraries.add(item.resolvedPath);
      continue;
    }
    const text = highlighted(item, isDecisive, limit, terminal) + gradeMark(item, terminal);
    const same = byText.get(text);
    if (same !== undefined) {
      same.count++;
      continue;
    }
    const entry = { text, count: 1, program: null };
    byText.set(text, entry);
    entries.push(entry);
  }
  if (libraries.size > 0) {
    const text = terminal.paint('dim', `+ ${countText(libraries.size, 'library file')}`);
    entries.push({ text, count: 1, program: null });
  }
  return entries;
}

function programLine(node: ProgramNode, uid: number | null, limit: number, rendering: Rendering): string {
  const { terminal, options } = rendering;
  const facts = [`pid ${node.pid}`];
  if (node.exec === null) {
    if (node.exitCode !== null) facts.push(exitText(node.exitCode));
    return `${terminal.safe(node.comm, 40)}  ${terminal.paint('dim', facts.join(', '))}`;
  }
  const { exec } = node;
  if (exec.uid !== uid)
    facts.push(`as ${exec.user === null ? `uid ${exec.uid}` : terminal.safe(exec.user, 40)}`);
  if (node.exitCode !== null) facts.push(exitText(node.exitCode));
  const hasNewPrivilege = exec.uid === 0 && uid !== null && uid !== 0;
  const style = hasNewPrivilege || (node.exitCode ?? 0) !== 0 ? 'yellow' : 'dim';
  const line = highlighted(exec, options.isDecisive?.(exec) ?? false, limit, terminal);
  return `${line}  ${terminal.paint(style, facts.join(', '))}${gradeMark(exec, terminal)}`;
}

function highlighted(effect: EffectView, isDecisive: boolean, limit: number, terminal: Terminal): string {
  if (!isDecisive) return effectLine(effect, terminal, limit);
  const plain: Terminal = { ...terminal, paint: (_style, text) => text };
  return terminal.paint('attack', effectLine(effect, plain, limit));
}

/** Long commands are cut to what a line holds; where lines have no width, to what a reader bears. */
function textLimit(indent: number, terminal: Terminal): number {
  return terminal.columns === null ? 400 : Math.max(40, terminal.columns - indent - 24);
}
