/** A rule file as it was read: what places point into. */
export class RuleSource {
  /** Path as the user gave it. */
  readonly name: string;
  readonly text: string;
  #lineStarts: number[] | null = null;

  constructor(name: string, text: string) {
    this.name = name;
    // A byte order mark says nothing but that this is Unicode.
    this.text = text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  /** Line and column of an offset, both from 1; columns count UTF-16 units. */
  position(offset: number): { line: number; column: number } {
    this.#lineStarts ??= lineStartsOf(this.text);
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** One character of a rule file. */
export interface Place {
  readonly source: RuleSource;
  readonly offset: number;
}

interface Piece {
  /** Where the piece begins in the whole text. */
  readonly start: number;
  readonly source: RuleSource;
  /** Offset in the source for each character of the piece. */
  readonly offsets: Int32Array;
}

/**
 * Text that remembers where each character came from: a condition is folded by YAML, appended to from other files and
 * has the names of lists replaced, and an error in it must still name a line of a file.
 */
export class RuleText {
  readonly text: string;
  readonly #pieces: readonly Piece[];

  private constructor(text: string, pieces: readonly Piece[]) {
    this.text = text;
    this.#pieces = pieces;
  }

  /** @param offsets offset in the source for each character of the text */
  static of(text: string, source: RuleSource, offsets: Int32Array): RuleText {
    return new RuleText(text, [{ start: 0, source, offsets }]);
  }

  /** Text that nobody wrote so: all of it is said to stand at one place. */
  static standingAt(text: string, place: Place): RuleText {
    return RuleText.of(text, place.source, new Int32Array(text.length).fill(place.offset));
  }

  static join(parts: readonly RuleText[]): RuleText {
    const pieces: Piece[] = [];
    let start = 0;
    for (const part of parts) {
      for (const piece of part.#pieces) pieces.push({ ...piece, start: start + piece.start });
      start += part.text.length;
    }
    return new RuleText(parts.map((part) => part.text).join(''), pieces);
  }

  slice(start: number, end = this.text.length): RuleText {
    const pieces: Piece[] = [];
    for (let at = Math.max(0, this.#pieceAt(start)); at < this.#pieces.length; at++) {
      const piece = this.#pieces[at] as Piece;
      if (piece.start > end) break;
      const from = Math.max(start, piece.start);
      const to = Math.min(end, piece.start + piece.offsets.length);
      if (from >= to && this.#pieces.length > 1) continue;
      pieces.push({
        start: Math.max(0, from - start),
        source: piece.source,
        offsets: piece.offsets.subarray(from - piece.start, Math.max(from, to) - piece.start),
      });
    }
    return new RuleText(this.text.slice(start, end), pieces.length > 0 ? pieces : this.#pieces.slice(0, 1));
  }

  /** The last piece that begins here or before: a text of a long list has thousands. -1 for none. */
  #pieceAt(index: number): number {
    let low = -1;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#pieces[middle]?.start ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where a character came from; beyond the end, where the last one did. */
  place(index: number): Place {
    let at = this.#pieceAt(index);
    while (at > 0 && this.#pieces[at]?.offsets.length === 0) at--;
    const found = this.#pieces[at];
    if (found === undefined) throw new Error('a rule text without a piece');
    const inside = Math.max(0, Math.min(index - found.start, found.offsets.length - 1));
    const isBeyond = index - found.start > inside;
    return { source: found.source, offset: (found.offsets[inside] ?? 0) + (isBeyond ? 1 : 0) };
  }
}

/** A part of a text, for messages about it. */
export interface Span {
  readonly in: RuleText;
  readonly start: number;
  readonly end: number;
}
