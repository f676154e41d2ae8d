/** MARKS in bpf/lib/state.h: places for marks, each of all keys that leave the same rest. */
export const MARKS = 16_384;
