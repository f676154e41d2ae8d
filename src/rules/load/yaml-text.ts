import { isScalar, Scalar, type Node } from 'yaml';
import { RuleText, type Place, type RuleSource } from '../text.ts';

/** Where a node of the file stands. */
export function placeOf(node: Node | null, source: RuleSource): Place {
  return { source, offset: node?.range?.[0] ?? 0 };
}

/** The text of a scalar, each character with its place in the file; null where the node is none. */
export function scalarText(node: unknown, source: RuleSource): RuleText | null {
  if (!isScalar(node) || typeof node.value !== 'string') return null;
  const start = node.range?.[0] ?? 0;
  return RuleText.of(
    node.value,
    source,
    align(node.value, source.text, contentStart(node, source.text, start)),
  );
}

function contentStart(node: Scalar, text: string, start: number): number {
  switch (node.type) {
    case Scalar.BLOCK_FOLDED:
    case Scalar.BLOCK_LITERAL: {
      const headerEnd = text.indexOf('\n', start);
      return headerEnd === -1 ? text.length : headerEnd + 1;
    }
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      return start + 1;
    default:
      return start;
  }
}

/**
 * Finds the value's characters in the file, one after the other. YAML only folds blanks and escapes quotes, so every
 * other character stands in the file as it is; within an escape sequence the place may be off by its length.
 */
function align(value: string, text: string, start: number): Int32Array {
  const offsets = new Int32Array(value.length);
  let at = start;
  for (let index = 0; index < value.length; index++) {
    const character = value[index] ?? '';
    if (isBlank(character)) {
      offsets[index] = at;
      if (isBlank(text[at] ?? '')) at++;
      continue;
    }
    const found = text.indexOf(character, at);
    if (found !== -1) at = found;
    offsets[index] = at;
    at++;
  }
  return offsets;
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r';
}
