const BEGIN =
  '<!-- bench-attribution:begin (generated from bench-attribution.json by make bench-attribution, or make gen) -->';
const END = '<!-- bench-attribution:end -->';
const TITLE = '## Measured against real servers';

/**
 * Puts the generated section between its markers; a document without them gets it at its end.
 *
 * @throws when there is only one of the two, or they stand in the wrong order
 */
export function withSection(document: string, section: string): string {
  const generated = `${BEGIN}\n${section.trim()}\n\n${END}`;
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 && end < 0) return `${document.trimEnd()}\n\n${TITLE}\n\n${generated}\n`;
  if (begin < 0 || end < begin) throw new Error(`the markers are damaged: ${BEGIN} ... ${END}`);
  return document.slice(0, begin) + generated + document.slice(end + END.length);
}
