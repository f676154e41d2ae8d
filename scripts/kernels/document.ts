import type { Measurement } from './measurements.ts';
import { featureTable, resultTable } from './table.ts';

const MARK = '<!-- measured: make test-kernels ARGS=--write -->\n';

/**
 * docs/KERNELS.md with the tables of what was measured; they are its end.
 * @throws Error where the document has no place for them
 */
export function withTables(text: string, measurements: readonly Measurement[]): string {
  const start = text.indexOf(MARK);
  if (start < 0) throw new Error(`the document has no place for the tables: ${MARK}`);
  return `${text.slice(0, start + MARK.length)}
${resultTable(measurements)}

What \`throughline doctor\` finds there:

${featureTable(measurements)}
`;
}
