import { isNoise } from '../routine-effects.ts';
import type { EffectView, OrphanView, RequestSummaryView } from '../views.ts';
import { effectTree } from './effect-tree.ts';
import { shortRequestText } from './request-text.ts';
import type { Terminal } from './terminal.ts';
import { treeLines } from './tree-lines.ts';
import { clipped } from './width.ts';
import { countText } from './wording.ts';

/** Different things in one block, and candidates of a set that are named. */
const MAX_GROUPS = 12;
const MAX_CANDIDATES = 2;
const MAX_LINES = 40;

export interface OrphanTextOptions {
  readonly showsAll: boolean;
  /** A request that was shown before, by its id. */
  readonly requestOf: (id: string) => RequestSummaryView | undefined;
}

/** Effects that look the same, each of some of the candidates. */
interface Group {
  /** Each with its own candidates. */
  readonly sets: (readonly OrphanView[])[];
  readonly tree: readonly string[];
}

/**
 * Effects of one server process that no request can claim for certain, below the requests that may have caused them.
 * Ends with a line feed; '' where all of them are noise.
 */
export function orphansText(
  orphans: readonly OrphanView[],
  terminal: Terminal,
  options: OrphanTextOptions,
): string {
  const wanted = options.showsAll ? orphans : orphans.filter(({ effect }) => !isIdle(effect));
  const [first] = wanted;
  if (first === undefined) return '';
  const { symbols, columns } = terminal;
  const groups = groupsOf([...setsOf(wanted).values()], terminal, options);
  const shown = options.showsAll ? groups : groups.slice(0, MAX_GROUPS);
  const { effect, process } = first;
  const lines = [
    [
      terminal.paint('dim', terminal.timeOfDay(effect.time)),
      terminal.paint('yellow', `[${effect.grade}]`),
      `${terminal.safe(process.comm || effect.comm, 40)}[${process.pid}]`,
      `${countText(wanted.length, 'effect')} that cannot be given to one request:`,
    ].join('  '),
  ];
  for (const group of shown) {
    lines.push(terminal.paint('dim', symbols.branch) + candidatesText(group, terminal, options));
    lines.push(...group.tree.map((line) => terminal.paint('dim', symbols.vertical) + line));
  }
  const hidden = groups.slice(shown.length).reduce((sum, { sets }) => sum + sets.flat().length, 0);
  if (hidden > 0) {
    const more = `${symbols.ellipsis} ${countText(hidden, 'more effect')}; --all shows them`;
    lines.push(terminal.paint('dim', more));
  }
  return lines.map((line) => clipped(line, columns, symbols.ellipsis) + '\n').join('');
}

/** Effects with the same candidates, for the same reason, together. */
function setsOf(orphans: readonly OrphanView[]): Map<string, OrphanView[]> {
  const sets = new Map<string, OrphanView[]>();
  for (const orphan of orphans) {
    const key = JSON.stringify([orphan.effect.reason, [...orphan.candidates].sort()]);
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [orphan]);
    else set.push(orphan);
  }
  return sets;
}

/** A busy event loop does the same for each of its requests: said once. */
function groupsOf(
  sets: readonly OrphanView[][],
  terminal: Terminal,
  options: OrphanTextOptions,
): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const set of sets) {
    const tree = setLines(set, terminal, options);
    const key = options.showsAll ? String(groups.size) : tree.join('\n');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { sets: [set], tree });
    else known.sets.push(set);
  }
  return [...groups.values()];
}

function setLines(set: readonly OrphanView[], terminal: Terminal, options: OrphanTextOptions): string[] {
  // Every one of them is ambiguous, as the heading says.
  const effects = set.map(({ effect }) => ({ ...effect, grade: 'exact' as const }));
  return treeLines(effectTree(effects, set[0]?.process.pid ?? 0), terminal, {
    showsAll: options.showsAll,
    maxLines: options.showsAll ? Number.MAX_SAFE_INTEGER : MAX_LINES,
    indent: terminal.symbols.vertical.length,
  });
}

function isIdle(effect: EffectView): boolean {
  return isNoise(effect) || (effect.type === 'exit' && effect.code === 0);
}

/** 'of GET /a (r-1) or GET /b (r-2): why', or '60 times, each of 2 to 20 requests: why'. */
function candidatesText(group: Group, terminal: Terminal, options: OrphanTextOptions): string {
  const [set] = group.sets;
  const candidates = set?.[0]?.candidates ?? [];
  const reason = terminal.paint('dim', terminal.safe(set?.[0]?.effect.reason ?? '', 120));
  if (group.sets.length > 1) {
    const counts = group.sets.map((one) => one[0]?.candidates.length ?? 0);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    const range = least === most ? String(most) : `${least} to ${most}`;
    return `${group.sets.length} times, each of ${range} requests: ${reason}`;
  }
  if (candidates.length === 0) return reason;
  const names = candidates.slice(0, MAX_CANDIDATES).map((id) => {
    const request = options.requestOf(id);
    return request === undefined ? terminal.safe(id, 60) : shortRequestText(request, terminal, 28);
  });
  const rest = candidates.length - names.length;
  const list = names.join(' or ') + (rest > 0 ? ` or ${rest} more` : '');
  return `${candidates.length === 1 ? 'perhaps' : 'of'} ${list}: ${reason}`;
}
