export interface Table {
  readonly title: string;
  /** Those after the first are aligned to the right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function tableAsText({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [title, '', line(columns), rule, ...rows.map(line), ''].join('\n');
}

/** @param heading marks of the title's level */
export function tableAsMarkdown({ title, columns, rows }: Table, heading = '##'): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [`${heading} ${title}`, '', line(columns), line(rule), ...rows.map(line), ''].join('\n');
}
