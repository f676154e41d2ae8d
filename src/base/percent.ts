import type { ByteString } from './bytes.ts';

/** Percent-decoded once. What is no valid escape stays as it is. */
export function percentDecode(value: ByteString): ByteString {
  let at = value.indexOf('%');
  if (at === -1) return value;
  let decoded = '';
  let start = 0;
  while (at !== -1) {
    const high = hexValue(value.charCodeAt(at + 1));
    const low = hexValue(value.charCodeAt(at + 2));
    if (high !== -1 && low !== -1) {
      decoded += value.slice(start, at) + String.fromCharCode(high * 16 + low);
      start = at + 3;
    }
    at = value.indexOf('%', Math.max(start, at + 1));
  }
  return decoded + value.slice(start);
}

/** Value of a hexadecimal digit's char code, -1 for any other. */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
