/** How texts are encoded before they are looked for in base64. */
export type Encoding = 'utf8' | 'utf16le' | 'utf16be' | 'utf16';

export function encode(text: string, encoding: Encoding): Buffer {
  switch (encoding) {
    case 'utf8':
      return Buffer.from(text, 'utf8');
    case 'utf16le':
      return Buffer.from(text, 'utf16le');
    case 'utf16be':
      return Buffer.from(text, 'utf16le').swap16();
    case 'utf16':
      return Buffer.from(`\ufeff${text}`, 'utf16le');
  }
}

export function base64Of(bytes: Buffer): string {
  return bytes.toString('base64');
}

/** Characters of a group of four that hold bits of what stands before; likewise behind, which are left out. */
const HEAD = [0, 2, 3] as const;
const TAIL = [0, 3, 2] as const;

/**
 * What base64 of a longer text has in it where the bytes stand somewhere inside: one for each place in a group of three bytes, with
 * only the characters that do not depend on their neighbours (RFC 4648, 4). Nothing is left of a byte or two at some places.
 */
export function base64AtOffsets(bytes: Buffer): readonly string[] {
  return HEAD.map((head, offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return text.slice(head, text.length - (TAIL[(offset + bytes.length) % 3] ?? 0));
  }).filter((text) => text !== '');
}
