import type { ByteString } from './bytes.ts';

const ESCAPE = /%([0-9a-f]{2})/gi;

/** Percent-decoded once. What is no valid escape stays as it is. */
export function percentDecode(text: ByteString): ByteString {
  if (!text.includes('%')) return text;
  return text.replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
