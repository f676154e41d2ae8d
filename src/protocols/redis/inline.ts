import type { ByteString } from '../../base/bytes.ts';

/**
 * The words of an inline command, as Redis' sdssplitargs() takes them apart: blanks separate, double quotes know
 * escapes, single quotes only \'. Null where a quote is not closed or what follows it is no blank: Redis closes
 * the connection.
 */
export function splitInline(line: ByteString, limit: number): ByteString[] | null {
  const words: ByteString[] = [];
  let index = 0;
  while (words.length < limit) {
    while (isBlank(line.charCodeAt(index))) index++;
    if (index >= line.length) return words;
    let word = '';
    while (index < line.length && !isBlank(line.charCodeAt(index))) {
      const quote = line[index];
      if (quote !== '"' && quote !== "'") {
        word += line[index++];
        continue;
      }
      const quoted = readQuoted(line, index + 1, quote);
      if (quoted === null) return null;
      word += quoted.text;
      index = quoted.end;
      if (index < line.length && !isBlank(line.charCodeAt(index))) return null;
    }
    words.push(word);
  }
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' };

function readQuoted(
  line: ByteString,
  start: number,
  quote: string,
): { text: ByteString; end: number } | null {
  let text = '';
  for (let index = start; index < line.length; index++) {
    const char = line[index] as string;
    if (char === quote) return { text, end: index + 1 };
    const next = line[index + 1];
    if (char !== '\\' || next === undefined) {
      text += char;
    } else if (quote === "'") {
      if (next === "'") index++;
      text += next === "'" ? next : char;
    } else {
      const code = next === 'x' ? hexByte(line, index + 2) : -1;
      text += code >= 0 ? String.fromCharCode(code) : (ESCAPES[next] ?? next);
      index += code >= 0 ? 3 : 1;
    }
  }
  return null;
}

function hexByte(line: ByteString, start: number): number {
  const high = hexDigit(line.charCodeAt(start));
  const low = hexDigit(line.charCodeAt(start + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0;
}
