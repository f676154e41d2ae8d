import { isCollection, isPair, visit, type Document, type Node } from 'yaml';
import { problemAt, type RuleProblem } from '../problem.ts';
import type { RuleSource } from '../text.ts';
import { placeOf } from './yaml-text.ts';

/** A few lines of aliases of aliases name more nodes than there is memory. */
const MAX_NODES = 200_000;

/** Puts what an anchor names in the places of its aliases, without copies. What cannot be is told, and stays an alias. */
export function resolveAliases(document: Document, source: RuleSource, errors: RuleProblem[]): void {
  const anchors = new Map<string, Node>();
  const sizes = new Map<unknown, number>();
  let nodes = 0;
  visit(document, {
    Alias: (_, alias, path) => {
      const node = anchors.get(alias.source);
      const fail = (message: string) => {
        errors.push(problemAt('yaml', message, placeOf(alias, source), `*${alias.source}`));
        return visit.SKIP;
      };
      if (node === undefined) return fail(`there is no anchor '${alias.source}' before`);
      if (path.includes(node)) return fail(`the anchor '${alias.source}' contains itself`);
      nodes += sizeOf(node, sizes);
      return nodes > MAX_NODES ? fail(`aliases stand for more than ${MAX_NODES} values`) : node;
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
}

function sizeOf(node: unknown, sizes: Map<unknown, number>): number {
  if (isPair(node)) return sizeOf(node.key, sizes) + sizeOf(node.value, sizes);
  if (!isCollection(node)) return 1;
  const known = sizes.get(node);
  if (known !== undefined) return known;
  const size = node.items.reduce<number>((sum, item) => sum + sizeOf(item, sizes), 1);
  sizes.set(node, size);
  return size;
}
