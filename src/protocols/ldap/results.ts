import type { QueryOutcome } from '../../model/query.ts';
import { BerCursor } from './ber.ts';
import type { Envelope } from './parser.ts';

const MAX_TEXT_BYTES = 1024;
/** RFC 4511 appendix A, by number. */
const RESULTS: readonly string[] = [
  ...['', 'operationsError', 'protocolError', 'timeLimitExceeded', 'sizeLimitExceeded', 'compareFalse'],
  ...['compareTrue', 'authMethodNotSupported', 'strongerAuthRequired', '9', 'referral', 'adminLimitExceeded'],
  ...[
    'unavailableCriticalExtension',
    'confidentialityRequired',
    'saslBindInProgress',
    '15',
    'noSuchAttribute',
  ],
  ...['undefinedAttributeType', 'inappropriateMatching', 'constraintViolation', 'attributeOrValueExists'],
  ...['invalidAttributeSyntax', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', 'noSuchObject'],
  ...[
    'aliasProblem',
    'invalidDNSyntax',
    '35',
    'aliasDereferencingProblem',
    '37',
    '38',
    '39',
    '40',
    '41',
    '42',
    '43',
  ],
  ...[
    '44',
    '45',
    '46',
    '47',
    'inappropriateAuthentication',
    'invalidCredentials',
    'insufficientAccessRights',
    'busy',
  ],
  ...[
    'unavailable',
    'unwillingToPerform',
    'loopDetect',
    '55',
    '56',
    '57',
    '58',
    '59',
    '60',
    '61',
    '62',
    '63',
  ],
  ...[
    'namingViolation',
    'objectClassViolation',
    'notAllowedOnNonLeaf',
    'notAllowedOnRDN',
    'entryAlreadyExists',
  ],
  ...['objectClassModsProhibited', '70', 'affectsMultipleDSAs'],
];
/** success, compareFalse, compareTrue, referral, saslBindInProgress: nothing went wrong. */
const NO_ERRORS = new Set([0, 5, 6, 10, 14]);

export interface Result {
  readonly number: number;
  readonly outcome: QueryOutcome;
}

/** LDAPResult: number, the part of the name that exists, words. @param rows entries that came before it */
export function parseResult(
  bytes: Uint8Array,
  { valueStart, valueEnd }: Envelope,
  end: number,
  rows: number | null,
): Result {
  const cursor = new BerCursor(bytes, valueStart, Math.min(valueEnd, end));
  const number = cursor.next() ? cursor.number() : 0;
  cursor.next();
  const message = cursor.next() ? cursor.text(MAX_TEXT_BYTES) : '';
  const isError = !NO_ERRORS.has(number);
  return {
    number,
    outcome: { isError, code: RESULTS[number] ?? String(number), message, rows, answers: [] },
  };
}
