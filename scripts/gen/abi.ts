import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTRACT_ENUMS, CONTRACT_STRUCT, contractLayout, layoutHash, readBtf } from '../../src/abi/btf.ts';

/** Generates src/abi/abi.gen.ts from the type information of the compiled BPF object. */
export function generateAbi(root: string): Map<string, string> {
  const types = readBtf(readFileSync(join(root, 'build/throughline.bpf.o')));
  const lines = [
    '// Generated from bpf/abi.h by scripts/gen.ts. Do not edit: run "make gen".',
    '',
    '/** Fingerprint of the whole layout; compared with the BPF object when it is loaded. */',
    `export const ABI_HASH = '${layoutHash(contractLayout(types))}';`,
  ];
  for (const [name, prefix] of CONTRACT_ENUMS) {
    lines.push('', `export const ${name.toUpperCase()} = {`);
    for (const [key, value] of types.enums.get(name) ?? [])
      lines.push(`  ${key.slice(prefix.length)}: ${value},`);
    lines.push('} as const;');
  }
  for (const [name, struct] of [...types.structs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!CONTRACT_STRUCT.test(name)) continue;
    lines.push('', `/** Byte offsets in struct ${name}; SIZE is that of its fixed part. */`);
    lines.push(`export const ${name.toUpperCase()} = {`, `  SIZE: ${struct.size},`);
    for (const member of struct.members)
      if (!member.name.startsWith('reserved')) lines.push(`  ${member.name}: ${member.offset},`);
    lines.push('} as const;');
  }
  return new Map([['src/abi/abi.gen.ts', lines.join('\n') + '\n']]);
}
