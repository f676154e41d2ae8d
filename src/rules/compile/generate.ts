import type { Code, Predicate } from './test.ts';

/** Leaves of one function: V8 does not optimise functions that are too long, so larger ones call others. */
const MAX_LEAVES = 48;
/** Parentheses inside parentheses of one function. */
const MAX_DEPTH = 32;

/**
 * One function for a condition. Closures would share the places from which they call the functions of their fields, so
 * that V8 could inline none of them; a function of its own costs a third. What is generated holds nothing but the names
 * of its parameters: no text of a rule becomes code.
 */
export function generate(code: Code): Predicate {
  const functions: unknown[] = [];
  const expression = expressionOf(divided(code), functions, 0);
  const names = functions.map((_, index) => `f${index}`);
  const body = `return (event) => { let value; return ${expression}; };`;
  // eslint-disable-next-line typescript/no-implied-eval
  const make = new Function(...names, body) as (...values: unknown[]) => Predicate;
  return make(...functions);
}

function expressionOf(code: Code, functions: unknown[], depth: number): string {
  const bind = (value: unknown): string => `f${functions.push(value) - 1}`;
  switch (code.kind) {
    case 'call':
      return `${bind(code.test)}(event)`;
    case 'value':
      return `(value = ${bind(code.get)}(event)) !== null && ${bind(code.test)}(value)`;
    case 'not':
      return depth >= MAX_DEPTH
        ? `!${bind(generate(code.part))}(event)`
        : `!(${expressionOf(code.part, functions, depth + 1)})`;
    case 'and':
    case 'or': {
      const parts = code.parts.map((part) => {
        const isOwn = depth >= MAX_DEPTH || functions.length + leavesOf(part) > MAX_LEAVES;
        return isOwn && part.kind !== 'call' && part.kind !== 'value'
          ? `${bind(generate(part))}(event)`
          : `(${expressionOf(part, functions, depth + 1)})`;
      });
      return parts.join(code.kind === 'and' ? ' && ' : ' || ');
    }
  }
}

/** The same with no more parts side by side than one function may have leaves. */
function divided(code: Code): Code {
  if (code.kind !== 'and' && code.kind !== 'or') return code;
  const { kind, parts } = code;
  if (parts.length <= MAX_LEAVES) return code;
  const size = Math.ceil(parts.length / MAX_LEAVES);
  const groups: Code[] = [];
  for (let at = 0; at < parts.length; at += size) groups.push({ kind, parts: parts.slice(at, at + size) });
  return { kind, parts: groups };
}

const knownLeaves = new WeakMap<Code, number>();

function leavesOf(code: Code): number {
  if (code.kind === 'call' || code.kind === 'value') return 1;
  let leaves = knownLeaves.get(code);
  if (leaves === undefined) {
    leaves =
      code.kind === 'not' ? leavesOf(code.part) : code.parts.reduce((sum, part) => sum + leavesOf(part), 0);
    knownLeaves.set(code, leaves);
  }
  return leaves;
}
