/**
 * Credentials do not belong into output that is stored and forwarded. Headers never enter the views; what can still
 * carry a secret is a query, a piece of evidence, and the preview of raw bytes.
 */

const SECRET_NAME =
  /pass(word|wd|phrase|code)?$|password|passwd|pwd|secret|token|authori[sz]ation|credential|api[-_]?key/i;
const SECRET_HEADER =
  /^((?:proxy-)?authorization|cookie|set-cookie|[\w-]*(?:api-?key|token|secret)[\w-]*)(:[ \t]*)[^\r\n]+/gim;
const MASK = '***';
/** Commands whose arguments are credentials as a whole: Redis, SMTP, FTP and POP3. */
const SECRET_OPERATION = /^(?:AUTH|PASS|HELLO)$/i;
/** `name = 'literal'`, `name, "literal"`; bounded white space, so that no statement takes long. */
const NAMED_LITERAL = /\b(\w+)\b(["'`\]]?\s{0,8}(?:[=:]\s{0,8})?)(?:'[^']*(?:'|$)|"[^"]*(?:"|$))/g;
const IDENTIFIED_BY =
  /\b(identified\s{1,8}(?:with\s{1,8}\S{1,64}\s{1,8})?(?:by|as)\s{1,8})(?:'[^']*(?:'|$)|"[^"]*(?:"|$))/gi;

/** Whether a parameter of that name (or a description that ends with it) holds a secret by its name. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The value, or a mask where the name says that it is secret. */
export function maskedValue(name: string, value: string): string {
  return isSecretName(name) ? MASK : value;
}

/**
 * A request target, values of secret parameters in its query masked.
 *
 * @param isShown parameters that are shown in spite of their name: those that carried the attack
 */
export function maskedTarget(target: string, isShown: (name: string) => boolean = () => false): string {
  const start = target.indexOf('?');
  if (start < 0) return target;
  const parts = target.slice(start + 1).split('&');
  const masked = parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0) return part;
    const name = decoded(part.slice(0, equals));
    return isSecretName(name) && !isShown(name) ? part.slice(0, equals + 1) + MASK : part;
  });
  return target.slice(0, start + 1) + masked.join('&');
}

/**
 * What was asked of a data service, literals masked that stand directly behind a name like a secret's. No parser: a
 * password in a list of VALUES stays.
 */
export function maskedStatement(operation: string, statement: string): string {
  if (SECRET_OPERATION.test(operation))
    return statement.trim() === operation ? statement : `${operation} ${MASK}`;
  return statement
    .replace(NAMED_LITERAL, (whole, name: string, between: string) =>
      isSecretName(name) ? `${name}${between}'${MASK}'` : whole,
    )
    .replace(IDENTIFIED_BY, `$1'${MASK}'`);
}

/** Values beside a statement: they have no names, but commands that log in have nothing else. */
export function maskedParameters(operation: string, parameters: readonly string[]): readonly string[] {
  return SECRET_OPERATION.test(operation) ? parameters.map(() => MASK) : parameters;
}

/** The beginning of raw traffic, values of secret headers and query parameters masked. */
export function maskedTraffic(text: string): string {
  const lineEnd = text.search(/\r?\n/);
  const firstLine = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const rest = lineEnd < 0 ? '' : text.slice(lineEnd);
  const shownLine = firstLine.split(' ').map((word) => maskedTarget(word));
  return shownLine.join(' ') + rest.replace(SECRET_HEADER, `$1$2${MASK}`);
}

/** Values that tell by themselves that they are secret: keys, signed tokens, password hashes, addresses with a password. */
const SECRET_VALUE =
  /-----BEGIN [A-Z ]{0,24}PRIVATE KEY|\beyJ[\w-]{8}|\bAKIA[0-9A-Z]{16}\b|\b(?:gh[oprsu]_|github_pat_|glpat-|xox[abeprs]-|sk_live_)\w{10}|\$(?:apr1|2[abxy]|5|6|7|y|argon2\w{0,2})\$|:\/\/[^/\s:@]{0,64}:[^/\s@]{1,128}@/;

/** Value of a container's label, masked where its name or the value itself is like a secret's. */
export function maskedLabel(name: string, value: string): string {
  return isSecretName(name) || SECRET_VALUE.test(value) ? MASK : value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
