import type { ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';

/**
 * - none: the field takes no argument
 * - index: a number may stand in brackets; `required` where it must
 * - name: any text, such as the name of a header
 */
export type ArgumentKind = 'none' | 'index' | 'required index' | 'name' | 'required name';

/** Type of a value: `bytes` is text that is no text, `address` an IP address, `network` is compared with networks. */
export type ValueType = 'string' | 'bytes' | 'number' | 'boolean' | 'address' | 'network';

/** What rules are compiled for: events that have this in common. */
export interface EventVariant {
  readonly type: number;
  /** Access mode of a call that opens (O_ACCMODE), null for any other call; undefined: it may be any. */
  readonly openMode: number | null | undefined;
}

export interface ValueOf {
  readonly string: ByteString;
  readonly bytes: ByteString;
  readonly number: number;
  readonly boolean: boolean;
  readonly address: string;
  readonly network: string;
}

/**
 * How a field with its argument gets at its value.
 * - single: one value, or null for none
 * - list: all of them, compared as a whole (`in`: all of them, `intersects`: any of them); null for none
 * - any: several values of which any may match, such as the names of all ancestors. `some` says whether the test is
 *   true of one of them; isEveryUnequal: `!=` wants all of them to differ
 */
export type Access<Type extends ValueType = ValueType> =
  | {
      readonly shape: 'single';
      readonly type: Type;
      readonly get: (event: RuleEvent) => ValueOf[Type] | null;
      /** Whether there is a value, where that is cheaper than to make it. */
      readonly has?: (event: RuleEvent) => boolean;
      /** The value depends on nothing but the variant of the event: what it is for one. undefined: not decided by it. */
      readonly ofVariant?: (variant: EventVariant) => ValueOf[Type] | null | undefined;
    }
  | {
      readonly shape: 'list';
      readonly type: Type;
      readonly get: (event: RuleEvent) => readonly ValueOf[Type][] | null;
    }
  | {
      readonly shape: 'any';
      readonly type: Type;
      readonly isEveryUnequal: boolean;
      readonly some: (event: RuleEvent, test: (value: ValueOf[Type]) => boolean) => boolean;
    };

/** A field that rules may name. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
  readonly argument: ArgumentKind;
  readonly description: string;
  /** It has no one value that could be printed. */
  readonly isFilterOnly: boolean;
  /** It gives several values: see Access. Of a field that takes an index: where none is given. */
  readonly shape: Access['shape'];
  /**
   * Why no event has it yet, as a clause for people; null where events have it. Asking for such a field is a warning, and
   * it has no value.
   */
  readonly reason: string | null;
  /** The same for an argument; missing where all are alike. */
  readonly reasonFor?: (argument: string) => string | null;
  /** What its value leaves out, as a clause for people; null or missing: nothing. Asking for such a field is a warning. */
  readonly caveat?: (argument: string | null) => string | null;
  /**
   * How it gets at its value; null where nothing could.
   * @param argument the text in brackets, of the field's kind; null where there is none
   */
  readonly bind: ((argument: string | null) => Access) | null;
}
