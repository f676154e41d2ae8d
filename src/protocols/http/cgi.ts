import type { ByteString } from '../../base/bytes.ts';
import { DecodedMessage } from './decoded-message.ts';
import { headerLines, trimBlanks } from './headers.ts';
import type { InputList } from './input-list.ts';
import { requestInputs } from './inputs.ts';

export type Variable = readonly [name: ByteString, value: ByteString];

/**
 * Variables of a request (RFC 3875, 4.1, and what web servers of today add) that are told beside its header fields,
 * under their names in lower case. Others are the site's own configuration, which holds secrets often enough.
 */
const TOLD_VARIABLES: ReadonlyMap<string, string> = new Map(
  [
    'AUTH_TYPE DOCUMENT_ROOT DOCUMENT_URI GATEWAY_INTERFACE HTTPS PATH_INFO PATH_TRANSLATED PHP_ADMIN_VALUE PHP_VALUE',
    'QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_IDENT REMOTE_PORT REMOTE_USER REQUEST_SCHEME SCRIPT_FILENAME',
    'SCRIPT_NAME SERVER_ADDR SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE',
  ].flatMap((line) => line.split(' ').map((name) => [name, name.toLowerCase()])),
);

/**
 * A request that a web server passes on as variables, as CGI does it: FastCGI, uwsgi. Its headers are those of the
 * client, then variables of the web server: `remote_addr` and `remote_port` are its client.
 */
export class CgiRequest extends DecodedMessage {
  /** What CONTENT_LENGTH says; 0 without it, or when it is no number. */
  readonly contentLength: number;
  readonly #clientHeaders: readonly Variable[];

  /** @param isTruncated some of the variables are not known */
  constructor(protocol: string, variables: readonly Variable[], isTruncated: boolean) {
    // The last one of a name counts: that is what programs see.
    const values = new Map(variables);
    const clientHeaders = headersOf(variables, values);
    const serverHeaders: Variable[] = [];
    for (const [name, value] of values) {
      const told = value === '' ? undefined : TOLD_VARIABLES.get(name);
      if (told !== undefined) serverHeaders.push([told, value]);
    }
    super({
      protocol,
      method: values.get('REQUEST_METHOD') ?? '',
      target: targetOf(values),
      headers: [...clientHeaders, ...serverHeaders],
      isTruncated,
    });
    this.#clientHeaders = clientHeaders;
    this.contentLength = lengthOf(values.get('CONTENT_LENGTH') ?? '');
  }

  /** The variables of the web server are none of the client's choice, or stand in its target already. */
  protected override collectInputs(): InputList {
    const { method, target, body } = this;
    return requestInputs({ method, target, headers: this.#clientHeaders, body });
  }
}

type Values = ReadonlyMap<ByteString, ByteString>;

/** The target as the client sent it, where the web server says so; else put together from its parts. */
function targetOf(values: Values): ByteString {
  const target = values.get('REQUEST_URI') ?? '';
  if (target !== '') return target;
  const path = (values.get('SCRIPT_NAME') ?? '') + (values.get('PATH_INFO') ?? '');
  const query = values.get('QUERY_STRING') ?? '';
  return query === '' ? path : `${path}?${query}`;
}

/** Header fields of the client: HTTP_*, and the two that have names of their own (RFC 3875, 4.1.18). */
function headersOf(variables: readonly Variable[], values: Values): Variable[] {
  const headers: Variable[] = [];
  for (const [name, value] of variables) {
    if (name.startsWith('HTTP_')) {
      const field = name.slice(5);
      // Some web servers pass these on twice.
      if (isContentVariable(field) && (values.get(field) ?? '') !== '') continue;
      headers.push([headerName(field), value]);
    } else if (value !== '' && isContentVariable(name)) {
      headers.push([headerName(name), value]);
    }
  }
  return headers;
}

function headerName(field: ByteString): ByteString {
  return field.toLowerCase().replaceAll('_', '-');
}

function isContentVariable(name: ByteString): boolean {
  return name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH';
}

function lengthOf(text: ByteString): number {
  let length = 0;
  for (let index = 0; index < text.length && index < 15; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return 0;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * Status of a reply of CGI from its header fields (RFC 3875, 6.3): that of the Status field; without one, 302 where
 * the client is sent elsewhere, else 200.
 * @param head the fields, or their beginning; there is no status line
 */
export function cgiStatus(head: ByteString): number {
  let status = 200;
  for (const [name, value] of headerLines(`\n${head}`, MAX_REPLY_FIELDS)) {
    if (name === 'status') {
      const number = Number(trimBlanks(value).slice(0, 3));
      return number >= 100 && number <= 999 ? number : 200;
    }
    // A path alone is for the web server, which runs another program in place of this one.
    if (name === 'location' && !value.startsWith('/')) status = 302;
  }
  return status;
}

const MAX_REPLY_FIELDS = 100;
