import type { Operator } from '../syntax.ts';
import type { Response } from '../responses/response.ts';
import type { SeveralItem } from '../sequences/items.ts';
import type { Place, RuleText } from '../text.ts';

/** What a rule file says, item by item, before anything is joined or compiled. */
export type RuleFileItem = RuleItem | MacroItem | ListItem;

export type OverrideMode = 'append' | 'replace';

interface ItemBase {
  readonly name: string;
  readonly place: Place;
  /** `append: true`. */
  readonly isAppend: boolean;
  /** How each key changes what was there; empty where there is no `override`. */
  readonly override: ReadonlyMap<string, OverrideMode>;
  /** The keys that stand in the item. */
  readonly keys: ReadonlySet<string>;
}

export interface MacroItem extends ItemBase {
  readonly kind: 'macro';
  readonly condition: RuleText;
}

export interface ListItem extends ItemBase {
  readonly kind: 'list';
  readonly items: readonly RuleText[];
}

/** null: the key is missing. */
export interface RuleItem extends ItemBase {
  readonly kind: 'rule';
  readonly condition: RuleText | null;
  readonly several: SeveralItem;
  readonly output: RuleText | null;
  readonly description: string | null;
  readonly priority: Priority | null;
  readonly source: RuleText | null;
  readonly isEnabled: boolean | null;
  readonly tags: readonly string[] | null;
  readonly exceptions: readonly ExceptionItem[] | null;
  readonly warnsOfEventTypes: boolean | null;
  readonly skipsUnknownFilter: boolean | null;
  readonly capture: boolean | null;
  readonly captureDurationMs: number | null;
  readonly responses: readonly Response[] | null;
}

export interface ExceptionItem {
  readonly name: string;
  readonly place: Place;
  /** Texts of fields or transformers; null where an exception is appended to. */
  readonly fields: readonly RuleText[] | null;
  /** One field without a list around it: values are a flat list then. */
  readonly isSingle: boolean;
  readonly comps: readonly ExceptionOperator[] | null;
  readonly values: readonly ExceptionValue[];
}

export interface ExceptionOperator {
  readonly operator: Operator;
  readonly text: RuleText;
}

/** A value, or for several fields a tuple of values and lists of values. */
export type ExceptionValue = RuleText | readonly ExceptionValue[];

/** From the worst to the least, as the reference engine orders them. */
export const PRIORITIES = [
  'Emergency',
  'Alert',
  'Critical',
  'Error',
  'Warning',
  'Notice',
  'Informational',
  'Debug',
] as const;
export type Priority = (typeof PRIORITIES)[number];
