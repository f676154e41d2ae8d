/** A table of Markdown. Cells may hold inline markup; what would end a cell is escaped. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapedCell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function escapedCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** The first line of every generated document. */
export function generatedNote(source: string): string {
  return `<!-- Generated from ${source} by scripts/gen.ts: change it there, then run make gen. -->`;
}
