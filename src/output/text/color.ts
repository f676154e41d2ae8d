/** How many bits a terminal's colors have; 1 is none. */
export type ColorDepth = 1 | 4 | 8 | 24;

export type Variables = Readonly<Record<string, string | undefined>>;

/** A foreground color: the basic one follows what the reader chose, the finer ones are legible on dark and on light. */
interface Color {
  readonly basic: number;
  /** Of the 256. */
  readonly indexed: number;
  readonly rgb: readonly [red: number, green: number, blue: number];
}

const COLORS = {
  red: { basic: 31, indexed: 167, rgb: [229, 83, 75] },
  green: { basic: 32, indexed: 71, rgb: [70, 160, 90] },
  yellow: { basic: 33, indexed: 172, rgb: [205, 140, 20] },
  blue: { basic: 34, indexed: 68, rgb: [80, 135, 215] },
  magenta: { basic: 35, indexed: 133, rgb: [175, 105, 190] },
  cyan: { basic: 36, indexed: 37, rgb: [20, 155, 165] },
} as const satisfies Readonly<Record<string, Color>>;

/** What is no color: the same for every terminal that has any. */
const ATTRIBUTES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  inverseRed: ['1;7;31', '0'],
  inverseYellow: ['1;7;33', '0'],
  inverseGreen: ['1;7;32', '0'],
  attack: ['1;31', '22;39'],
} as const;

export type Style = keyof typeof COLORS | keyof typeof ATTRIBUTES;

/** Text between the escape sequences that begin and end a style. */
export function paintText(style: Style, text: string, depth: ColorDepth): string {
  if (depth === 1 || text === '') return text;
  if (!isColor(style)) {
    const [begin, end] = ATTRIBUTES[style];
    return `\x1b[${begin}m${text}\x1b[${end}m`;
  }
  return `\x1b[${colorCode(COLORS[style], depth)}m${text}\x1b[39m`;
}

function isColor(style: Style): style is keyof typeof COLORS {
  return style in COLORS;
}

function colorCode(color: Color, depth: ColorDepth): string {
  if (depth === 24) return `38;2;${color.rgb.join(';')}`;
  return depth === 8 ? `38;5;${color.indexed}` : String(color.basic);
}

const FORCED: Readonly<Record<string, ColorDepth>> = { '0': 1, false: 1, '2': 8, '3': 24 };

/**
 * FORCE_COLOR wins over NO_COLOR, as in Node itself (0 none, 1 basic, 2 the 256, 3 all); then a terminal has what
 * COLORTERM and TERM say.
 */
export function colorDepthOf(isTty: boolean, variables: Variables): ColorDepth {
  const forced = variables['FORCE_COLOR'];
  if (forced !== undefined) return FORCED[forced] ?? 4;
  if ((variables['NO_COLOR'] ?? '') !== '' || !isTty) return 1;
  const term = variables['TERM'] ?? '';
  if (term === 'dumb') return 1;
  if (/^(?:truecolor|24bit)$/i.test(variables['COLORTERM'] ?? '') || term.endsWith('-direct')) return 24;
  return /-256(?:color)?$/.test(term) ? 8 : 4;
}
