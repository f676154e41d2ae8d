import { byteString, type ByteString } from '../../base/bytes.ts';
import type { QueryMessage } from '../../model/query.ts';
import { BSON, BsonCursor, stringAt } from './bson.ts';
import { BsonText } from './bson-text.ts';
import { HEADER_BYTES, OPERATION, parseCollection, parseMessage, type Section } from './parser.ts';

/** What is kept of a command's text. */
export const MAX_STATEMENT_BYTES = 16 * 1024;
const MAX_NAME_BYTES = 256;

/** The value of these commands' own name is a collection. */
const ON_COLLECTIONS = new Set(
  (
    'find insert update delete aggregate count distinct findAndModify findandmodify mapReduce create drop ' +
    'createIndexes dropIndexes listIndexes collStats collMod validate killCursors'
  ).split(' '),
);
/** What drivers add to every command, and what is told elsewhere. */
const OVERHEAD = ['lsid', '$clusterTime', '$db'];
/** Fields that prove who somebody is, by command. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  saslStart: ['payload'],
  saslContinue: ['payload'],
  authenticate: ['key', 'nonce'],
  createUser: ['pwd'],
  updateUser: ['pwd'],
  hello: ['speculativeAuthenticate'],
  isMaster: ['speculativeAuthenticate'],
  ismaster: ['speculativeAuthenticate'],
};

/** Bytes between the collection's name and the documents of old messages: flags, or two numbers. */
const AFTER_NAME: ReadonlyMap<number, number> = new Map([
  [OPERATION.update, 4],
  [OPERATION.query, 8],
  [OPERATION.delete, 4],
]);

export interface ParsedCommand {
  readonly query: QueryMessage;
  /** The command signs on this user; null where it does not sign on. */
  readonly user: ByteString | null;
  readonly hasAnswer: boolean;
}

/** OP_MSG of a client. `user` is the one that the connection is signed on as. */
export function parseCommand(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  user: ByteString,
): ParsedCommand {
  const { sections, isMoreToCome, isMalformed } = parseMessage(bytes, start, end, length);
  const isBodyFirst = sections[0]?.name === '';
  const body = isBodyFirst ? (sections[0] ?? null) : null;
  const sequences = isBodyFirst ? sections.slice(1) : [];
  const parsed = command(body, sequences, bytes, user, end - start < length, isMalformed);
  return { ...parsed, hasAnswer: !isMoreToCome };
}

/** OP_QUERY, and the other old messages. Servers of today only know OP_QUERY, for the first hello. */
export function parseOldCommand(
  operation: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  user: ByteString,
): ParsedCommand {
  const isCut = end - start < length;
  const collection =
    operation === OPERATION.killCursors ? null : parseCollection(bytes, start + HEADER_BYTES + 4, end);
  const database = collection?.name ?? '';
  const documents: Section = {
    name: '',
    start: (collection?.end ?? end) + (AFTER_NAME.get(operation) ?? 0),
    end,
  };
  if (operation === OPERATION.query && database.endsWith('.$cmd')) {
    const body = unwrapped(bytes, documents);
    return { ...command(body, [], bytes, user, isCut, false, database.slice(0, -5)), hasAnswer: true };
  }
  const text = new BsonText(MAX_STATEMENT_BYTES);
  for (let index = documents.start; index + 5 <= end && operation !== OPERATION.getMore && !text.isCut;) {
    text.document(bytes, index, end);
    const size = new DataView(bytes.buffer, bytes.byteOffset + index, 4).getInt32(0, true);
    index += Math.max(size, 5);
  }
  const name = Object.entries(OPERATION).find(([, code]) => code === operation)?.[0] ?? '';
  return {
    query: message(name, text, database, user, isCut, false),
    user: null,
    hasAnswer: operation === OPERATION.query || operation === OPERATION.getMore,
  };
}

/** A command that was wrapped to say from which server it may be answered. */
function unwrapped(bytes: Uint8Array, section: Section): Section {
  const cursor = new BsonCursor(bytes, section.start, section.end);
  const isWrapped =
    cursor.next() && cursor.type === BSON.document && (cursor.name === '$query' || cursor.name === 'query');
  return isWrapped ? { name: '', start: cursor.valueStart, end: cursor.valueEnd } : section;
}

function command(
  body: Section | null,
  sequences: readonly Section[],
  bytes: Uint8Array,
  user: ByteString,
  isCut: boolean,
  isMalformed: boolean,
  implied: ByteString = '',
): Omit<ParsedCommand, 'hasAnswer'> {
  const text = new BsonText(MAX_STATEMENT_BYTES);
  if (body === null) return { query: message('', text, '', user, isCut, isMalformed), user: null };
  const facts = readFacts(bytes, body);
  text.write('{');
  text.elements(bytes, body.start, body.end, new Set([...OVERHEAD, ...(SECRETS[facts.operation] ?? [])]));
  for (const { name, start, end } of sequences) text.sequence(name, bytes, start, end);
  text.write('}');
  const name = facts.database === '' ? implied : facts.database;
  const database = facts.collection === '' || name === '' ? name : `${name}.${facts.collection}`;
  return { query: message(facts.operation, text, database, user, isCut, isMalformed), user: facts.user };
}

function message(
  operation: ByteString,
  { text, parameters, isCut, isMalformed: isTextMalformed }: BsonText,
  database: ByteString,
  user: ByteString,
  isTruncated: boolean,
  isMalformed: boolean,
): QueryMessage {
  return {
    protocol: 'mongodb',
    operation,
    statement: text,
    parameters,
    database,
    user,
    isTruncated: isTruncated || isCut,
    anomalies: isMalformed || isTextMalformed ? ['malformed-bson'] : [],
  };
}

interface Facts {
  operation: ByteString;
  collection: ByteString;
  database: ByteString;
  user: ByteString | null;
}

function readFacts(bytes: Uint8Array, body: Section): Facts {
  const facts: Facts = { operation: '', collection: '', database: '', user: null };
  const cursor = new BsonCursor(bytes, body.start, body.end);
  while (cursor.next()) {
    const { name } = cursor;
    if (facts.operation === '') {
      facts.operation = name;
      if (ON_COLLECTIONS.has(name)) facts.collection = stringAt(cursor, MAX_NAME_BYTES) ?? '';
    } else if (name === '$db') {
      facts.database = stringAt(cursor, MAX_NAME_BYTES) ?? '';
    } else if (name === 'collection' && facts.operation === 'getMore') {
      facts.collection = stringAt(cursor, MAX_NAME_BYTES) ?? '';
    } else if (name === 'payload' && facts.operation === 'saslStart') {
      facts.user = userOf(cursor);
    } else if (name === 'user' && facts.operation === 'authenticate') {
      facts.user = stringAt(cursor, MAX_NAME_BYTES);
    } else if (name === 'speculativeAuthenticate' && cursor.type === BSON.document) {
      facts.user = readFacts(bytes, { name: '', start: cursor.valueStart, end: cursor.valueEnd }).user;
    }
  }
  return facts;
}

/** The user in the first message of SCRAM (RFC 5802: 'n,,n=user,r=...') or of PLAIN (RFC 4616). */
function userOf({ type, bytes, valueStart, valueEnd }: BsonCursor): ByteString | null {
  if (type !== BSON.binary) return null;
  const payload = byteString(bytes, Math.min(valueStart + 5, valueEnd), Math.min(valueEnd, valueStart + 512));
  if (payload.startsWith('n,,n=')) {
    const end = payload.indexOf(',', 5);
    return end < 0 ? null : payload.slice(5, end).replaceAll('=2C', ',').replaceAll('=3D', '=');
  }
  const [, user, password] = payload.split('\0');
  return user !== undefined && password !== undefined ? user : null;
}
