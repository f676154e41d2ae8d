import { nearestWord } from '../../base/nearest-word.ts';
import { MAX_DEPTH, parseCondition } from '../parser.ts';
import { problemIn, RuleError } from '../problem.ts';
import { junction, negation, type Expression, type MacroUse } from '../syntax.ts';
import type { MacroDefinition } from './collection.ts';
import type { ListExpansion } from './lists.ts';

/** Nodes of a tree once macros are expanded: macros of macros multiply. */
const MAX_SIZE = 100_000;
/** The same of parts that stand side by side. */
const MAX_SUM = 200_000;

/** Replaces the names of macros by their trees. */
export class MacroExpansion {
  readonly #macros: ReadonlyMap<string, MacroDefinition>;
  readonly #lists: ListExpansion;
  /** null while it is being expanded: a macro that is met then contains itself. */
  readonly #trees = new Map<string, Expression | RuleError | null>();
  /** Macros that some condition names. */
  readonly used = new Set<string>();

  constructor(macros: ReadonlyMap<string, MacroDefinition>, lists: ListExpansion) {
    this.#macros = macros;
    this.#lists = lists;
  }

  /**
   * @param visibility macros that were first defined before it may be named
   * @throws RuleError
   */
  expand(expression: Expression, visibility: number): Expression {
    switch (expression.kind) {
      case 'check':
        return expression;
      case 'macro':
        return this.#treeOf(expression, visibility);
      case 'not':
        return negation(this.expand(expression.child, visibility));
      case 'and':
      case 'or':
        return junction(expression.kind, this.#expandAll(expression.children, visibility));
    }
  }

  /** What would be too large is refused before it is made: a macro of a thousand parts may stand a thousand times in a row. */
  #expandAll(parts: readonly Expression[], visibility: number): readonly Expression[] {
    let size = 0;
    return parts.map((part) => {
      const expanded = this.expand(part, visibility);
      size += expanded.size;
      if (size > MAX_SUM && part.kind === 'macro') {
        const message = `with macro '${part.name}' the condition has more than ${MAX_SUM} parts`;
        throw new RuleError(problemIn('too-large', message, part.span));
      }
      return expanded;
    });
  }

  /** The tree of a macro itself: a mistake in it is told once, where it stands. Throws a RuleError. */
  resolve(macro: MacroDefinition): Expression {
    const known = this.#trees.get(macro.name);
    if (known instanceof RuleError) throw known;
    if (known) return known;
    this.#trees.set(macro.name, null);
    try {
      const tree = this.expand(parseCondition(this.#lists.expand(macro.condition)), macro.visibility);
      this.#trees.set(macro.name, tree);
      return tree;
    } catch (error) {
      if (error instanceof RuleError) this.#trees.set(macro.name, error);
      throw error;
    }
  }

  #treeOf(use: MacroUse, visibility: number): Expression {
    const macro = this.#macros.get(use.name);
    if (macro === undefined || macro.index >= visibility) {
      const isLater = macro !== undefined;
      const message = isLater ? `macro '${use.name}' is defined only later` : `unknown macro '${use.name}'`;
      const names = isLater ? [] : [...this.#macros.keys()];
      throw new RuleError(problemIn('unknown-macro', message, use.span, nearestWord(use.name, names)));
    }
    this.used.add(use.name);
    if (this.#trees.get(use.name) === null) {
      throw new RuleError(problemIn('unknown-macro', `macro '${use.name}' contains itself`, use.span));
    }
    const tree = this.resolve(macro);
    if (tree.size > MAX_SIZE || tree.depth > MAX_DEPTH) {
      const limit =
        tree.size > MAX_SIZE ? `has more than ${MAX_SIZE} parts` : `is nested deeper than ${MAX_DEPTH}`;
      throw new RuleError(problemIn('too-large', `macro '${use.name}' ${limit}`, use.span));
    }
    return tree;
  }
}
