import type { Protocol } from '../contract.ts';
import { requestPlausibility, responsePlausibility } from './parser.ts';
import { LdapConnection } from './stream.ts';

/** LDAP, version 3 (RFC 4511). */
export const ldap: Protocol = {
  name: 'ldap',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromClient.length > 0) return requestPlausibility(fromClient);
    // A server that speaks first speaks something else.
    return isBeginning ? 'no' : responsePlausibility(fromServer);
  },
  open: (sink) => new LdapConnection(sink),
};
