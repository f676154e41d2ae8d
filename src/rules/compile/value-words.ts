import type { ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';
import type { Access } from '../fields/field.ts';
import { addressKey } from '../match/address-key.ts';
import type { SetCheck } from './check.ts';
import { numberOf } from './value-test.ts';

/** Ends of connections: of other numbers (0 of user.uid, of evt.res) most events have the same. */
const PORT = /^fd\.[cslr]port$/;

/** Made once: a port is a text so that rules are found by it as they are by words. */
const portTexts: (ByteString | undefined)[] = [];

/**
 * A port, or an address, as a word that is the same however it is written, with the words of which one must be there; null: the
 * check is about something else. It must have been compiled once, so that it is known to be right.
 */
export function valueWords({ bound: { key, access }, literals }: SetCheck): {
  readonly get: (event: RuleEvent) => ByteString | null;
  readonly words: readonly ByteString[];
} | null {
  if (access.shape !== 'single') return null;
  if (access.type === 'number' && PORT.test(key)) {
    const get = access.get as (Access<'number'> & { shape: 'single' })['get'];
    const ofPort = (event: RuleEvent) => {
      const port = get(event);
      return port === null ? null : (portTexts[port] ??= String(port));
    };
    return { get: ofPort, words: literals.map((literal) => String(numberOf(literal))) };
  }
  if (access.type === 'address') {
    const get = access.get as (Access<'address'> & { shape: 'single' })['get'];
    const ofAddress = (event: RuleEvent) => {
      const address = get(event);
      return address === null ? null : addressKey(address);
    };
    return { get: ofAddress, words: literals.map(({ value }) => addressKey(value) ?? '') };
  }
  return null;
}
