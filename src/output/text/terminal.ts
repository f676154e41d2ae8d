import { printableText } from '../../base/printable.ts';

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

export type Style = keyof typeof STYLES;

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
  readonly columns: number | null;
  /** Environment variables: NO_COLOR, FORCE_COLOR, TERM, LC_ALL, LC_CTYPE, LANG. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly timeZone?: 'local' | 'UTC';
}

/** SGR codes to begin and to end a style. Basic ones only: they follow the colors that the reader chose. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
  inverseRed: ['1;7;31', '0'],
  inverseYellow: ['1;7;33', '0'],
  inverseGreen: ['1;7;32', '0'],
  attack: ['1;31', '22;39'],
} as const;

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
  const hasColor = wantsColor(options);
  const hasUnicode = wantsUnicode(options.variables);
  return {
    hasColor,
    hasUnicode,
    columns: options.columns,
    symbols: hasUnicode ? UNICODE : ASCII,
    paint(style, text) {
      if (!hasColor || text === '') return text;
      const [begin, end] = STYLES[style];
      return `\x1b[${begin}m${text}\x1b[${end}m`;
    },
    safe: (text, limit) => printableText(text, limit, { asciiOnly: !hasUnicode }),
    timeOfDay: (iso) => timeOfDay(iso, options.timeZone ?? 'local'),
  };
}

/** FORCE_COLOR wins over NO_COLOR, as in Node itself; then a terminal that is not dumb has colors. */
function wantsColor({ isTty, variables }: TerminalOptions): boolean {
  const forced = variables['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((variables['NO_COLOR'] ?? '') !== '') return false;
  return isTty && variables['TERM'] !== 'dumb';
}

/** The first of these that is set decides, as in setlocale(3). */
function wantsUnicode(variables: TerminalOptions['variables']): boolean {
  const locale = variables['LC_ALL'] || variables['LC_CTYPE'] || variables['LANG'] || '';
  return /utf-?8/i.test(locale);
}

function timeOfDay(iso: string, timeZone: 'local' | 'UTC'): string {
  if (timeZone === 'UTC') return iso.slice(11, 23);
  const date = new Date(iso);
  const pad = (number: number, length = 2) => String(number).padStart(length, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
