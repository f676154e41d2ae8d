import { printableText } from '../../base/printable.ts';
import { colorDepthOf, paintText, type Style, type Variables } from './color.ts';

export type { Style } from './color.ts';

/** What a terminal (or a file) that text is written to can show. */
export interface Terminal {
  readonly hasColor: boolean;
  readonly hasUnicode: boolean;
  /** Width in columns; null where lines have no width (a file, a pipe). */
  readonly columns: number | null;
  readonly symbols: Symbols;
  paint(style: Style, text: string): string;
  /** The only way for bytes of others into the output: one line, no controls, at most `limit` characters. */
  safe(text: string, limit?: number): string;
  /** Time of day with milliseconds of an ISO time, in the reader's time zone. */
  timeOfDay(iso: string): string;
}

export interface Symbols {
  readonly branch: string;
  readonly lastBranch: string;
  readonly vertical: string;
  readonly blank: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly times: string;
  readonly yes: string;
  readonly no: string;
  readonly maybe: string;
}

export interface TerminalOptions {
  readonly isTty: boolean;
  /** A function where the width may change. */
  readonly columns: number | null | (() => number | null);
  /** Environment variables: NO_COLOR, FORCE_COLOR, COLORTERM, TERM, LC_ALL, LC_CTYPE, LANG. */
  readonly variables: Variables;
  readonly timeZone?: 'local' | 'UTC';
}

const UNICODE: Symbols = {
  branch: '├─ ',
  lastBranch: '└─ ',
  vertical: '│  ',
  blank: '   ',
  arrow: '→',
  ellipsis: '…',
  times: '×',
  yes: '✓',
  no: '✗',
  maybe: '?',
};

const ASCII: Symbols = {
  branch: '|- ',
  lastBranch: '`- ',
  vertical: '|  ',
  blank: '   ',
  arrow: '->',
  ellipsis: '...',
  times: 'x',
  yes: '+',
  no: '-',
  maybe: '?',
};

export function createTerminal(options: TerminalOptions): Terminal {
  const { columns, variables } = options;
  const depth = colorDepthOf(options.isTty, variables);
  const hasUnicode = wantsUnicode(variables);
  return {
    hasColor: depth > 1,
    hasUnicode,
    get columns() {
      // Some pseudo-terminals say 0 for "I do not know".
      return (typeof columns === 'function' ? columns() : columns) || null;
    },
    symbols: hasUnicode ? UNICODE : ASCII,
    paint: (style, text) => paintText(style, text, depth),
    safe: (text, limit) => printableText(text, limit, { asciiOnly: !hasUnicode }),
    timeOfDay: (iso) => timeOfDay(iso, options.timeZone ?? 'local'),
  };
}

/** The first of these that is set decides, as in setlocale(3). */
function wantsUnicode(variables: Variables): boolean {
  const locale = variables['LC_ALL'] || variables['LC_CTYPE'] || variables['LANG'] || '';
  return /utf-?8/i.test(locale);
}

function timeOfDay(iso: string, timeZone: 'local' | 'UTC'): string {
  if (timeZone === 'UTC') return iso.slice(11, 23);
  const date = new Date(iso);
  const pad = (number: number, length = 2) => String(number).padStart(length, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
