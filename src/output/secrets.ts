/**
 * Credentials do not belong into output that is stored and forwarded. Headers never enter the views; what can still
 * carry a secret is a query, a piece of evidence, and the preview of raw bytes.
 */

const SECRET_NAME =
  /pass(word|wd|phrase|code)?$|password|passwd|pwd|secret|token|authori[sz]ation|credential|api[-_]?key/i;
const SECRET_HEADER =
  /^((?:proxy-)?authorization|cookie|set-cookie|[\w-]*(?:api-?key|token|secret)[\w-]*)(:[ \t]*)[^\r\n]+/gim;
const MASK = '***';

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

/** The beginning of raw traffic, values of secret headers and query parameters masked. */
export function maskedTraffic(text: string): string {
  const lineEnd = text.search(/\r?\n/);
  const firstLine = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const rest = lineEnd < 0 ? '' : text.slice(lineEnd);
  const shownLine = firstLine.split(' ').map((word) => maskedTarget(word));
  return shownLine.join(' ') + rest.replace(SECRET_HEADER, `$1$2${MASK}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
