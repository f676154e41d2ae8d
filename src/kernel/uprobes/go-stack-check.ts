import type { ByteSource } from './elf-file.ts';

/**
 * What most functions of Go begin with on x86-64 (cmd/internal/obj/x86, stacksplit; since 1.17, where R14 has the goroutine):
 * the stack pointer, for larger frames less what they need, is compared with the goroutine's limit, and where there is too
 * little, the stack grows and the function begins anew. So it does where the goroutine has to make way for another.
 */
const COMPARE_SP = Uint8Array.of(0x49, 0x3b, 0x66, 0x10); // cmp rsp, [r14+16]
const COMPARE_R12 = Uint8Array.of(0x4d, 0x3b, 0x66, 0x10); // cmp r12, [r14+16]
const LEA_R12_SHORT = Uint8Array.of(0x4c, 0x8d, 0x64, 0x24); // lea r12, [rsp+disp8]
const LEA_R12 = Uint8Array.of(0x4c, 0x8d, 0xa4, 0x24); // lea r12, [rsp+disp32]
/** jbe, to a place behind. */
const JBE_SHORT = Uint8Array.of(0x76);
const JBE = Uint8Array.of(0x0f, 0x86);
/** The longest of them: 8 + 4 + 6. */
const LONGEST_BYTES = 18;

/**
 * Where to put the probe of a function of Go that begins at `offset`: at the first instruction behind the check of the stack,
 * which is reached once for each call. The arguments are still in their registers, and the stack pointer is what it was. A
 * function that does not begin so is probed where it begins.
 */
export function behindStackCheck(source: ByteSource, offset: number): number {
  const code = source.read(offset, LONGEST_BYTES);
  return code === null ? offset : offset + stackCheckBytes(code);
}

/** 0 for code that does not begin with such a check, down to the last bit. */
function stackCheckBytes(code: Uint8Array): number {
  const has = (bytes: Uint8Array, at: number): boolean =>
    bytes.every((byte, index) => code[at + index] === byte);
  /** The highest bit of a little-endian number that ends before `end`. */
  const isNegative = (end: number): boolean => ((code[end - 1] ?? 0) & 0x80) !== 0;

  let at = 0;
  if (has(LEA_R12_SHORT, 0)) at = LEA_R12_SHORT.length + 1;
  else if (has(LEA_R12, 0)) at = LEA_R12.length + 4;
  // Frames grow downwards.
  if (at > 0 && !isNegative(at)) return 0;
  const compare = at === 0 ? COMPARE_SP : COMPARE_R12;
  if (!has(compare, at)) return 0;
  at += compare.length;
  if (has(JBE_SHORT, at)) at += JBE_SHORT.length + 1;
  else if (has(JBE, at)) at += JBE.length + 4;
  else return 0;
  return isNegative(at) ? 0 : at;
}
