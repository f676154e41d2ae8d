/**
 * Turns what a program printed to a terminal, colours and all, into an SVG picture for the docs:
 *
 *     FORCE_COLOR=1 bin/throughline replay FILE | node scripts/terminal-picture.ts TITLE > docs/demo.svg
 *
 * Understands the SGR sequences that Throughline uses (bold, dim, underline, the 16 colours); no others are expected.
 */
import { text } from 'node:stream/consumers';

interface Style {
  bold: boolean;
  dim: boolean;
  underline: boolean;
  colour: string | null;
}

const COLUMNS = 132;
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const MARGIN = 18;
const TITLE_HEIGHT = 34;
const DIM = '#8b93a3';
const COLOURS: Readonly<Record<number, string>> = {
  30: '#3b4252', 31: '#ff6b6b', 32: '#8fd694', 33: '#f2c14e', 34: '#7aa2f7', 35: '#c792ea', 36: '#5ccfe6', 37: '#d8dee9',
  90: '#7b8494', 91: '#ff8f8f', 92: '#a8e6a1', 93: '#ffd97a', 94: '#9dbcff', 95: '#dbb2ff', 96: '#8be4f2', 97: '#ffffff',
}; // prettier-ignore

function applyCodes(style: Style, codes: string): Style {
  let next = { ...style };
  for (const code of codes.split(';').map(Number)) {
    if (code === 0) next = plain();
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 24) next.underline = false;
    else if (code === 39) next.colour = null;
    else if (COLOURS[code] !== undefined) next.colour = COLOURS[code];
  }
  return next;
}

function plain(): Style {
  return { bold: false, dim: false, underline: false, colour: null };
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function attributesOf(style: Style): string {
  const attributes = [];
  const fill = style.colour ?? (style.dim ? DIM : null);
  if (fill !== null) attributes.push(`fill="${fill}"`);
  if (style.bold) attributes.push('font-weight="bold"');
  if (style.underline) attributes.push('text-decoration="underline"');
  return attributes.join(' ');
}

/** One line of output as tspans; what is wider than the picture is cut. */
function spansOf(line: string): string {
  let style = plain();
  let column = 0;
  let spans = '';
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b[')) {
      style = applyCodes(style, part.slice(2, -1));
      continue;
    }
    const shown = part.slice(0, COLUMNS - column);
    column += shown.length;
    if (shown !== '') spans += `<tspan ${attributesOf(style)}>${escapeXml(shown)}</tspan>`;
    if (column >= COLUMNS) break;
  }
  return spans;
}

const lines = (await text(process.stdin)).replace(/\n+$/, '').split('\n');
const width = COLUMNS * CHARACTER_WIDTH + 2 * MARGIN;
const height = TITLE_HEIGHT + lines.length * LINE_HEIGHT + 2 * MARGIN;
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}">
<rect width="100%" height="100%" rx="8" fill="#1b1f2a"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
<text x="50%" y="22" text-anchor="middle" fill="#7b8494" font-family="monospace" font-size="13">${escapeXml(process.argv[2] ?? '')}</text>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, monospace" font-size="14" fill="#d8dee9" xml:space="preserve">`);
lines.forEach((line, index) => {
  const y = TITLE_HEIGHT + MARGIN + index * LINE_HEIGHT;
  console.log(`<text x="${MARGIN}" y="${y}">${spansOf(line)}</text>`);
});
console.log('</g>\n</svg>');
