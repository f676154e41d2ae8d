import type { ByteString } from '../../base/bytes.ts';

/** What stands where a secret stood, as Redis itself writes it in its slow log. */
const REDACTED = '(redacted)';

/** Settings that are passwords: requirepass, masterauth, tls-key-file-pass, ... */
const SECRET_SETTINGS = ['pass', 'auth', 'secret'];

/** A command's words without its passwords, and the user that it signs on. */
export function withoutSecrets(words: readonly ByteString[]): {
  words: readonly ByteString[];
  user: ByteString | null;
} {
  switch (upper(words[0])) {
    case 'AUTH':
      return authentication(words, 0);
    case 'HELLO': {
      const at = words.findIndex((word, index) => index > 1 && upper(word) === 'AUTH');
      return at < 0
        ? { words, user: null }
        : authentication(words.toSpliced(at + 3), at, words.slice(at + 3));
    }
    case 'CONFIG':
      return { words: upper(words[1]) === 'SET' ? withoutSettings(words) : words, user: null };
    case 'ACL':
      return { words: upper(words[1]) === 'SETUSER' ? words.map(withoutRule) : words, user: null };
    case 'MIGRATE':
      return { words: withoutMigration(words), user: null };
    default:
      return { words, user: null };
  }
}

/** AUTH password, or AUTH user password; extra words are refused and may be passwords as well. */
function authentication(
  words: readonly ByteString[],
  at: number,
  rest: readonly ByteString[] = [],
): { words: readonly ByteString[]; user: ByteString } {
  const named = words.length - at > 2;
  const user = named ? (words[at + 1] as ByteString) : 'default';
  const kept = words.slice(0, named ? at + 2 : at + 1);
  const hidden = words.length > kept.length ? [REDACTED] : [];
  return { words: [...kept, ...hidden, ...rest], user };
}

/** CONFIG SET name value [name value ...] */
function withoutSettings(words: readonly ByteString[]): ByteString[] {
  return words.map((word, index) => {
    const name = index > 2 && index % 2 === 1 ? (words[index - 1] as ByteString).toLowerCase() : '';
    return SECRET_SETTINGS.some((part) => name.includes(part)) ? REDACTED : word;
  });
}

/** ACL rules that add or take a password, in clear or hashed. */
function withoutRule(word: ByteString, index: number): ByteString {
  const isPassword = index > 2 && ['>', '<', '#', '!'].includes(word[0] ?? '');
  return isPassword ? `${word[0]}${REDACTED}` : word;
}

/** MIGRATE host port key db timeout [AUTH password | AUTH2 user password] ... */
function withoutMigration(words: readonly ByteString[]): ByteString[] {
  return words.map((word, index) => {
    const isPassword =
      index > 5 && (upper(words[index - 1]) === 'AUTH' || upper(words[index - 2]) === 'AUTH2');
    return isPassword ? REDACTED : word;
  });
}

function upper(word: ByteString | undefined): ByteString {
  return (word ?? '').slice(0, 32).toUpperCase();
}
