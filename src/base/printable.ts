import { textFromByteString, type ByteString } from './bytes.ts';

/**
 * Characters that must never reach a terminal raw: C0 and C1 controls, DEL, format characters (bidirectional
 * overrides and isolates reorder what a reader sees), everything that draws nothing (zero-width, tags, fillers), line
 * separators and lone surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const UNSAFE_OR_NOT_ASCII = /[^\u0020-\u007e]/u;

export interface PrintableOptions {
  /** The terminal may not understand UTF-8: escape everything beyond ASCII too. */
  readonly asciiOnly?: boolean;
}

/**
 * Text that is safe to print on one line of a terminal: what an attacker put into a path, an argument or a header
 * can neither move the cursor nor fake a line. Unsafe characters become \xNN or \u{NNNN}; the length is bounded.
 *
 * @param limit at most so many characters of the source are shown; the rest is replaced by an ellipsis
 */
export function printable(bytes: ByteString, limit = 400): string {
  const isLong = bytes.length > limit * 4;
  const text = printableText(textFromByteString(isLong ? bytes.slice(0, limit * 4) : bytes), limit);
  return isLong && !text.endsWith('…') ? text + '…' : text;
}

/** The same for ordinary text, such as the fields of the views. */
export function printableText(text: string, limit = 400, options: PrintableOptions = {}): string {
  const unsafe = options.asciiOnly === true ? UNSAFE_OR_NOT_ASCII : UNSAFE;
  if (text.length <= limit && !unsafe.test(text)) return text;
  // A character is one or two UTF-16 units: twice the limit holds enough of them, however long the text is.
  const characters = Array.from(text.slice(0, limit * 2 + 2));
  const isCut = characters.length > limit;
  const shown = isCut ? characters.slice(0, limit) : characters;
  const ellipsis = options.asciiOnly === true ? '...' : '…';
  return shown.map((character) => escapeCharacter(character, unsafe)).join('') + (isCut ? ellipsis : '');
}

function escapeCharacter(character: string, unsafe: RegExp): string {
  if (!unsafe.test(character)) return character;
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
