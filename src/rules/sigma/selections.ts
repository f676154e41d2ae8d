import type { Selections } from './condition.ts';
import { itemTree, type ItemContext } from './item.ts';
import { readKey } from './modifiers.ts';
import { shown, SigmaError, type SigmaProblem } from './problem.ts';
import { join, TRUE, type Tree } from './tree.ts';
import type { ListValue, MapValue, ScalarValue, Value } from './yaml-value.ts';

/** Each use is a copy in the condition. */
const MAX_USES = 10_000;

/** More are not looked for. */
const MAX_PROBLEMS = 64;

/** The selections of one rule, converted as the condition names them. All that is wrong with them is gathered. */
export class ConvertedSelections implements Selections {
  readonly names: readonly string[];
  readonly problems: SigmaProblem[] = [];
  readonly #values: ReadonlyMap<string, Value>;
  readonly #context: ItemContext;
  readonly #trees = new Map<string, Tree>();
  #uses = 0;

  constructor(values: ReadonlyMap<string, Value>, context: ItemContext) {
    this.#values = values;
    this.#context = context;
    this.names = [...values.keys()];
  }

  tree(name: string): Tree {
    if (++this.#uses > MAX_USES)
      throw new SigmaError('too-large', `the condition names selections more than ${MAX_USES} times`, 1);
    let tree = this.#trees.get(name);
    if (tree === undefined) {
      const value = this.#values.get(name);
      if (value === undefined) throw new SigmaError('condition', `there is no selection ${shown(name)}`, 1);
      tree = this.#selection(value);
      this.#trees.set(name, tree);
    }
    return tree;
  }

  #selection(value: Value): Tree {
    switch (value.kind) {
      case 'map':
        return this.#fields(value);
      case 'list':
        return this.#alternatives(value);
      case 'scalar':
        return this.#item('', [value], value.line);
    }
  }

  /** All items of a map must be true. */
  #fields(map: MapValue): Tree {
    if (map.entries.size === 0) return this.#guard(() => fail('a selection is empty', map.line));
    return join(
      'and',
      [...map.entries].map(([key, value]) => this.#keyed(key, value)),
    );
  }

  #keyed(key: string, value: Value): Tree {
    if (value.kind === 'scalar') return this.#item(key, [value], value.line);
    const isFlat = value.kind === 'list' && value.items.every(({ kind }) => kind === 'scalar');
    if (!isFlat)
      return this.#guard(() => fail(`the values of ${shown(key)} must be a list of texts`, value.line));
    return this.#item(key, value.items as readonly ScalarValue[], value.line);
  }

  /** Any entry of a list must be true: maps, and searches without a field. */
  #alternatives(list: ListValue): Tree {
    if (list.items.length === 0) return this.#guard(() => fail('a selection is empty', list.line));
    const searched = list.items.filter((item): item is ScalarValue => item.kind === 'scalar');
    const parts = list.items.filter(({ kind }) => kind !== 'scalar').map((item) => this.#selection(item));
    if (searched.length > 0) parts.push(this.#item('', searched, list.line));
    return join('or', parts);
  }

  #item(key: string, values: readonly ScalarValue[], line: number): Tree {
    return this.#guard(() => itemTree(readKey(key, line), values, line, this.#context));
  }

  /** What is wrong is noted, and the rule refused in the end; until then something stands for it. */
  #guard(run: () => Tree): Tree {
    if (this.problems.length >= MAX_PROBLEMS) return TRUE;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error;
      this.problems.push(error.problem);
      return TRUE;
    }
  }
}

function fail(message: string, line: number): never {
  throw new SigmaError('selection', message, line);
}
