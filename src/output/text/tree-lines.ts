import type { EffectView, RequestView } from '../views.ts';
import { effectLine, gradeMark } from './effect-line.ts';
import { effectTree, type ProgramNode } from './effect-tree.ts';
import { filesLine } from './files-line.ts';
import { folded, type Entry, type Noise } from './folding.ts';
import { requestBehindText } from './parties-text.ts';
import { programLines } from './program-line.ts';
import type { Terminal } from './terminal.ts';
import { clipped, displayWidth } from './width.ts';
import { countText } from './wording.ts';

export interface TreeOptions {
  /** Fold nothing. */
  readonly showsAll: boolean;
  readonly maxLines: number;
  /** Columns that are taken at the left by whoever prints the lines. */
  readonly indent?: number;
  /** The effect that decided a finding: never folded, and highlighted. */
  readonly isDecisive?: (effect: EffectView) => boolean;
  /** Requests as which some of the queries were served on this host, by id: they stand in the place of those. */
  readonly behind?: ReadonlyMap<string, RequestView>;
}

/** Deeper requests behind requests are a loop of proxies: it must not run off the screen. */
const MAX_INDENT = 160;

/** What is below the root of an effect tree, as indented lines, none wider than the terminal. */
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

function appendItems(node: ProgramNode, indent: string, uid: number | null, rendering: Rendering): void {
  const { terminal, options, lines } = rendering;
  const { symbols, columns } = terminal;
  const { entries, noise } = folded(node, options);
  // A program's noise stands on its own line; the server has none.
  const rest = node.parent === null ? noiseText(noise) : '';
  const width = Math.max(20, (columns ?? 0) - indent.length - symbols.branch.length - (options.indent ?? 0));
  const append = (texts: readonly string[], isLast: boolean, hasChildren: boolean): void => {
    const below =
      (isLast ? symbols.blank : symbols.vertical) + (hasChildren ? symbols.vertical : symbols.blank);
    texts.forEach((text, index) => {
      const tree = indent + (index > 0 ? below : isLast ? symbols.lastBranch : symbols.branch);
      const line = terminal.paint('dim', tree) + text;
      lines.push(clipped(line, columns === null ? null : columns - (options.indent ?? 0), symbols.ellipsis));
    });
  };
  entries.forEach((entry, index) => {
    const isLast = index === entries.length - 1 && rest === '';
    const texts = entryTexts(entry, uid, columns === null ? Infinity : width, rendering);
    const below = indent + (isLast ? symbols.blank : symbols.vertical);
    if (entry.kind === 'program') {
      append(texts, isLast, folded(entry.program, options).entries.length > 0);
      appendItems(entry.program, below, entry.program.exec?.uid ?? uid, rendering);
      return;
    }
    append(texts, isLast, false);
    const behind = requestBehind(entry, options);
    if (behind !== null && below.length < MAX_INDENT)
      appendItems(effectTree(behind.effects, behind.server.pid), below, null, rendering);
  });
  if (rest !== '') append([terminal.paint('dim', rest)], true, false);
}

/** The request as which a query was served on this host. */
function requestBehind(entry: Entry, { behind }: TreeOptions): RequestView | null {
  if (entry.kind !== 'effect' || entry.effect.type !== 'query') return null;
  return behind?.get(entry.effect.servedAs ?? '') ?? null;
}

function entryTexts(entry: Entry, uid: number | null, width: number, rendering: Rendering): string[] {
  const { terminal, options } = rendering;
  switch (entry.kind) {
    case 'program': {
      const noise = noiseText(folded(entry.program, options).noise);
      return programLines(entry.program, terminal, {
        uid,
        width,
        count: entry.count,
        isDecisive: entry.program.exec !== null && (options.isDecisive?.(entry.program.exec) ?? false),
        remark: noise,
      });
    }
    case 'files':
      return [filesLine(entry.effects, entry.directory, width, terminal)];
    case 'effect': {
      const count = entry.count > 1 ? terminal.paint('dim', ` ${terminal.symbols.times}${entry.count}`) : '';
      const mark = gradeMark(entry.effect, terminal) + count;
      const limit = Math.min(400, Math.max(20, width - displayWidth(mark) - 16));
      const behind = requestBehind(entry, options);
      if (behind !== null) return [requestBehindText(behind, terminal, limit) + mark];
      if (!(options.isDecisive?.(entry.effect) ?? false))
        return [effectLine(entry.effect, terminal, limit) + mark];
      const plain: Terminal = { ...terminal, paint: (_style, text) => text };
      return [terminal.paint('attack', effectLine(entry.effect, plain, limit)) + mark];
    }
  }
}

/** '+ 32 routine effects', libraries and idle copies among them; '' for none. */
function noiseText({ libraries, routine, forks }: Noise): string {
  const count = libraries + routine + forks;
  return count === 0 ? '' : `+ ${countText(count, 'routine effect')}`;
}
