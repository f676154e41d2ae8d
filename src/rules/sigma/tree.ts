import { SigmaError } from './problem.ts';

/** A condition on its way from one language to the other: checks are texts of ours. */
export type Tree =
  | { readonly kind: 'check'; readonly text: string }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly children: readonly Tree[] }
  | { readonly kind: 'not'; readonly child: Tree };

export const TRUE: Tree = { kind: 'constant', value: true };
export const FALSE: Tree = { kind: 'constant', value: false };

/** Characters of a condition: selections may be named again and again. */
const MAX_LENGTH = 256 << 10;

export function check(text: string): Tree {
  return { kind: 'check', text };
}

/** Joins; what is decided already falls out. */
export function join(kind: 'and' | 'or', parts: readonly Tree[]): Tree {
  const decisive = kind === 'or';
  const children: Tree[] = [];
  for (const part of parts) {
    if (part.kind === 'constant') {
      if (part.value === decisive) return part;
    } else if (part.kind === kind) {
      for (const child of part.children) children.push(child);
    } else {
      children.push(part);
    }
  }
  const [first, second] = children;
  if (first === undefined) return decisive ? FALSE : TRUE;
  return second === undefined ? first : { kind, children };
}

export function not(child: Tree): Tree {
  if (child.kind === 'constant') return child.value ? FALSE : TRUE;
  return child.kind === 'not' ? child.child : { kind: 'not', child };
}

/** The condition in our language, one part of the outermost `and` or `or` a line. */
export function conditionLines(tree: Tree, line: number): readonly string[] {
  const writer = new Writer(line);
  if (tree.kind !== 'and' && tree.kind !== 'or') return [writer.text(tree, false)];
  return tree.children.map((child, index) => {
    const text = writer.text(child, true);
    return index === 0 ? text : `${tree.kind} ${text}`;
  });
}

class Writer {
  readonly #line: number;
  #length = 0;

  constructor(line: number) {
    this.#line = line;
  }

  text(tree: Tree, isInside: boolean): string {
    switch (tree.kind) {
      case 'check':
        this.#length += tree.text.length + 6;
        if (this.#length > MAX_LENGTH)
          throw new SigmaError('too-large', 'the condition would be longer than 256 KiB', this.#line);
        return tree.text;
      case 'constant':
        // Neither language has a word for it, so it is simplified away before.
        throw new SigmaError('condition', `it would always be ${tree.value}`, this.#line);
      case 'not':
        return `not ${this.text(tree.child, true)}`;
      default: {
        const text = tree.children.map((child) => this.text(child, true)).join(` ${tree.kind} `);
        return isInside ? `(${text})` : text;
      }
    }
  }
}
