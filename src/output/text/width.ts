/** Characters that terminals draw two columns wide: East Asian wide and fullwidth forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{M}/u;
/** The only escape sequences that our lines hold: those of Terminal.paint. */
// oxlint-disable-next-line no-control-regex
const PAINT = /\x1b\[[\d;]*m/g;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Columns that printable text takes, color codes not counted. Near enough to put a mark under a character. */
export function displayWidth(text: string): number {
  const bare = text.includes('\x1b') ? text.replace(PAINT, '') : text;
  if (PRINTABLE_ASCII.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/**
 * A line cut to a terminal's width, where it is wider, with a mark at the cut. Color codes behind the cut are kept, so
 * that every style that begins also ends.
 *
 * @param columns null for no limit
 */
export function clipped(line: string, columns: number | null, ellipsis: string): string {
  if (columns === null || displayWidth(line) <= columns) return line;
  const mark = ellipsis.slice(0, Math.max(0, columns));
  let room = columns - mark.length;
  let result = '';
  let isCut = false;
  // oxlint-disable-next-line no-control-regex
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    if (part.startsWith('\x1b')) {
      result += part;
      continue;
    }
    if (isCut) continue;
    for (const character of part) {
      const width = characterWidth(character);
      if (width > room) {
        result += mark;
        isCut = true;
        break;
      }
      room -= width;
      result += character;
    }
  }
  return result;
}

/** A word is not broken where a space is so near to the end of the line. */
const NEAR_END = 20;

/**
 * Printable text without color codes on lines of a terminal, broken at spaces where there are some.
 *
 * @param first columns of the first line
 * @param others columns of the lines after it
 * @param maxLines what does not fit into these is cut, with a mark
 */
export function wrapped(
  text: string,
  first: number,
  others: number,
  maxLines: number,
  ellipsis: string,
): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    const room = Math.max(1, lines.length === 0 ? first : others);
    if (displayWidth(rest) <= room) return [...lines, rest];
    if (lines.length === maxLines - 1) return [...lines, clipped(rest, room, ellipsis)];
    const fitting = clipped(rest, room, '') || [...rest].slice(0, 1).join('');
    const space = fitting.lastIndexOf(' ');
    const end = space > 0 && fitting.length - space <= NEAR_END ? space + 1 : fitting.length;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end);
  }
  return lines;
}
