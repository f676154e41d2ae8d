import type { ByteString } from '../base/bytes.ts';
import { LOOK_COST, type AnyClue } from './compile/clues.ts';
import type { RuleEvent } from './event.ts';
import { wordTable, type Where, type WordTable } from './match/word-table.ts';

/** Something to be found by words in the fields of events. */
export interface Indexed {
  /** Each of them is a way to find it on all events of which it may be true. */
  readonly choices: readonly AnyClue[];
  /** What it costs to run it on every event instead, in units of a property's look-up. */
  readonly cost: number;
}

/** A field in which words are looked for. */
interface Probe<Item> {
  readonly get: (event: RuleEvent) => ByteString | null;
  readonly tables: readonly WordTable<Item>[];
  /** All that are found by it. */
  readonly items: readonly Item[];
}

/** What it costs to run anything at all. */
const RUN_COST = 2;

/** Finds what may be true of an event by the words in its fields: each field is looked at once for all that ask for it. */
export class RuleIndex<Item extends Indexed> {
  /** What may be true of any event. */
  readonly always: readonly Item[];
  /** Tells what is found, in no order; the same thing may be found twice. Where a field throws, all that ask for it are. */
  readonly find: Find<Item>;

  constructor(items: readonly Item[]) {
    const { chosen, always } = choose(items);
    const probes: Probe<Item>[] = [];
    const unplaced = new Set<Item>();
    for (const [, places] of Map.groupBy(chosen, ({ clue }) => clue.key)) {
      const [first] = places;
      if (first === undefined) continue;
      const tables: WordTable<Item>[] = [];
      for (const [where, ofPlace] of Map.groupBy(places, ({ clue }) => clue.where)) {
        const table = wordTable(where, itemsByWord(ofPlace));
        if (table === null) for (const { item } of ofPlace) unplaced.add(item);
        else tables.push(table);
      }
      probes.push({ get: first.clue.get, tables, items: [...new Set(places.map(({ item }) => item))] });
    }
    this.find = finder(probes);
    const isAlways = new Set([...always, ...unplaced]);
    this.always = items.filter((item) => isAlways.has(item));
  }
}

type Find<Item> = (event: RuleEvent, found: (items: readonly Item[]) => void) => void;

/** Fields of one function: V8 does not optimise functions that are too long. */
const MAX_PROBES = 32;

function finder<Item>(probes: readonly Probe<Item>[]): Find<Item> {
  if (probes.length <= MAX_PROBES) return generate(probes);
  const parts: Find<Item>[] = [];
  for (let at = 0; at < probes.length; at += MAX_PROBES)
    parts.push(generate(probes.slice(at, at + MAX_PROBES)));
  return (event, found) => {
    for (let at = 0; at < parts.length; at++) (parts[at] as Find<Item>)(event, found);
  };
}

/**
 * One function for all fields, each of which is asked for, and looked into, in a place of its own: V8 inlines what is called there. It
 * holds nothing but the names of its parameters: no text of a rule becomes code.
 */
function generate<Item>(probes: readonly Probe<Item>[]): Find<Item> {
  const given: unknown[] = [];
  const bind = (value: unknown): string => `f${given.push(value) - 1}`;
  const steps = probes.map(({ get, tables, items }) => {
    const looks = tables.map((table) => `${bind(table)}(value, found);`).join(' ');
    return `try { value = ${bind(get)}(event); } catch { found(${bind(items)}); value = null; } if (value !== null) { ${looks} }`;
  });
  const names = given.map((_, index) => `f${index}`);
  // eslint-disable-next-line typescript/no-implied-eval
  const make = new Function(...names, `return (event, found) => { let value; ${steps.join(' ')} };`) as (
    ...values: unknown[]
  ) => Find<Item>;
  return make(...given);
}

interface Placed<Item> {
  readonly item: Item;
  readonly clue: AnyClue[number];
}

/** The cheapest way for each: to look for words costs little where others have words in the same place. */
function choose<Item extends Indexed>(
  items: readonly Item[],
): { chosen: readonly Placed<Item>[]; always: readonly Item[] } {
  const users = new Map<string, number>();
  for (const { choices } of items)
    for (const id of new Set(choices.flat().map(idOf))) users.set(id, (users.get(id) ?? 0) + 1);
  const costOf = (clues: AnyClue) =>
    clues.reduce((sum, clue) => sum + LOOK_COST[clue.where] / (users.get(idOf(clue)) ?? 1), 0);
  const chosen: Placed<Item>[] = [];
  const always: Item[] = [];
  for (const item of items) {
    let best: AnyClue | null = null;
    for (const choice of item.choices) if (best === null || costOf(choice) < costOf(best)) best = choice;
    if (best === null || costOf(best) >= item.cost + RUN_COST) always.push(item);
    else for (const clue of best) chosen.push({ item, clue });
  }
  return { chosen, always };
}

function idOf({ key, where }: { readonly key: string; readonly where: Where }): string {
  return `${where} ${key}`;
}

function itemsByWord<Item>(places: readonly Placed<Item>[]): ReadonlyMap<ByteString, readonly Item[]> {
  const byWord = new Map<ByteString, Item[]>();
  for (const { item, clue } of places) {
    for (const word of clue.words) {
      const others = byWord.get(word);
      if (others === undefined) byWord.set(word, [item]);
      else others.push(item);
    }
  }
  return byWord;
}
