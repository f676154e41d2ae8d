import type { OpenEffectView } from '../views.ts';
import { gradeMark } from './effect-line.ts';
import type { Terminal } from './terminal.ts';
import { displayWidth } from './width.ts';

/** More names than that help nobody, however wide the terminal is. */
const MAX_NAMES = 12;

/** A run of files on one line: 'open 14 files in /srv/app/views: a.html, b.html, …'. */
export function filesLine(
  effects: readonly OpenEffectView[],
  directory: string,
  width: number,
  terminal: Terminal,
): string {
  const [first] = effects;
  if (first === undefined) return '';
  const place = directory.length > 1 ? ` in ${terminal.safe(directory.slice(0, -1), 80)}` : '';
  const what = `${effects.length} files${place}`;
  const end =
    (first.error === null ? '' : `  ${terminal.paint('red', first.error)}`) + gradeMark(first, terminal);
  const verb = first.write ? 'write' : 'open';
  const prefix = directory.length > 1 ? directory.length : 0;
  const names = effects.map((effect) =>
    terminal.safe((effect.resolvedPath || effect.path).slice(prefix), 60),
  );
  const room = width - displayWidth(`${verb} ${what}:  ${end}`);
  const list = terminal.paint('dim', `: ${namesText(names, room, terminal.symbols.ellipsis)}`);
  const head = `${first.write && first.error === null ? terminal.paint('yellow', verb) : verb} ${what}`;
  return (first.error === null ? head : terminal.paint('dim', head)) + list + end;
}

/** As many names as there is room for, at least one. */
function namesText(names: readonly string[], room: number, ellipsis: string): string {
  const shown: string[] = [];
  let width = ellipsis.length;
  for (const name of names.slice(0, MAX_NAMES)) {
    width += displayWidth(name) + 2;
    if (shown.length > 0 && width > room) break;
    shown.push(name);
  }
  return shown.length < names.length ? `${shown.join(', ')}, ${ellipsis}` : shown.join(', ');
}
