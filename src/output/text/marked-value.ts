import type { EvidenceView } from '../views.ts';
import type { Terminal } from './terminal.ts';
import { displayWidth } from './width.ts';

/** Characters of the sink that are shown around the marked span. */
const CONTEXT = 40;
const MAX_SPAN = 160;

/**
 * The value in which evidence stands, with a line of marks under the bytes that the client chose. Two lines; one where
 * the client's bytes do not stand there literally.
 *
 * @param width columns that a line may take
 */
export function markedValue(evidence: EvidenceView, terminal: Terminal, width: number): string[] {
  if (evidence.sinkValue === null) return [];
  if (evidence.offset < 0 || evidence.length === 0) return [terminal.safe(evidence.sinkValue, 300)];
  const { sinkValue, offset } = evidence;
  const end = offset + evidence.length;
  const { ellipsis } = terminal.symbols;

  const spanLimit = Math.min(MAX_SPAN, Math.max(20, width - 2 * CONTEXT));
  const span = terminal.safe(sinkValue.slice(offset, end), spanLimit);
  const room = Math.max(CONTEXT, Math.floor((width - displayWidth(span)) / 2) - ellipsis.length);
  // Enough for most shell strings as a whole; else a window around the span.
  const isWhole = width >= displayWidth(terminal.safe(sinkValue, width + 1));
  const before = isWhole
    ? terminal.safe(sinkValue.slice(0, offset))
    : lastCharacters(sinkValue, offset, room, terminal);
  const after = terminal.safe(sinkValue.slice(end), isWhole ? undefined : room);

  const marks = ' '.repeat(displayWidth(before)) + '^'.repeat(Math.max(1, displayWidth(span)));
  return [before + terminal.paint('attack', span) + after, terminal.paint('attack', marks)];
}

function lastCharacters(text: string, end: number, count: number, terminal: Terminal): string {
  if (end <= count) return terminal.safe(text.slice(0, end));
  let start = end - count;
  // Not into the middle of a pair of surrogates.
  if (/[\udc00-\udfff]/.test(text.charAt(start))) start++;
  return terminal.symbols.ellipsis + terminal.safe(text.slice(start, end));
}
