import { textFromByteString, type ByteString } from './bytes.ts';

/**
 * Characters that must never reach a terminal raw: C0 and C1 controls, DEL, the bidirectional overrides and isolates
 * (which reorder what a reader sees), zero-width characters and line separators.
 */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u;

/**
 * Text that is safe to print on one line of a terminal: what an attacker put into a path, an argument or a header
 * can neither move the cursor nor fake a line. Unsafe characters become \xNN or \u{NNNN}; the length is bounded.
 *
 * @param limit at most so many characters of the source are shown; the rest is replaced by an ellipsis
 */
export function printable(bytes: ByteString, limit = 400): string {
  const text = textFromByteString(bytes.length > limit * 4 ? bytes.slice(0, limit * 4) : bytes);
  const shown = Array.from(text).slice(0, limit);
  const cut = shown.length < text.length && Array.from(text).length > limit;
  if (!cut && !UNSAFE.test(text)) return text;
  return shown.map(escapeCharacter).join('') + (cut || bytes.length > limit * 4 ? '…' : '');
}

function escapeCharacter(character: string): string {
  if (!UNSAFE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  switch (code) {
    case 0x09:
      return '\\t';
    case 0x0a:
      return '\\n';
    case 0x0d:
      return '\\r';
    case 0x1b:
      return '\\e';
    default:
      return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  }
}
