const SPACE = 32;

/**
 * Status of the reply that begins at `start`.
 * @returns 100 to 999; 0 when too few bytes tell; -1 when it is no reply of HTTP/1
 */
export function readStatus(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < 7; index++) {
    if (start + index >= end) return 0;
    if (bytes[start + index] !== 'HTTP/1.'.charCodeAt(index)) return -1;
  }
  if (start + 12 > end) return 0;
  if (bytes[start + 8] !== SPACE) return -1;
  const hundreds = (bytes[start + 9] as number) - 48;
  const tens = (bytes[start + 10] as number) - 48;
  const ones = (bytes[start + 11] as number) - 48;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1;
  return hundreds * 100 + tens * 10 + ones;
}
