import type { ByteString } from '../../base/bytes.ts';
import { hasParentSegment, normalisePath } from '../../base/path.ts';
import { printable } from '../../base/printable.ts';
import { PAYLOAD_COMMANDS } from '../attack-commands.ts';
import { namesSensitivePath } from '../sensitive-paths.ts';

/**
 * What is decisive about a value that has the shape of a path traversal, for people, or null. It is a path (no blanks,
 * quotes or markup: not prose or code that mentions one) and climbs twice, or once to a sensitive file; or it is the
 * absolute path of one.
 */
export function traversalShape(value: ByteString): string | null {
  if (value.length < 5 || value.length > 4096) return null;
  const path = value.replaceAll('\\', '/').split('\0', 1)[0] ?? '';
  if (/[\s"'<>{}`]/.test(path)) return null;
  if (!path.includes('..')) {
    if (!/^(?:file:\/\/|php:\/\/filter\/[^ ]*resource=)?\/(?:etc|proc|root|home|var|run)\//.test(path))
      return null;
    const absolute = path.slice(path.search(/\/(?:etc|proc|root|home|var|run)\//));
    return namesSensitivePath(absolute) ? `names the sensitive file \`${printable(absolute, 120)}\`` : null;
  }
  // Filters that take `../` out once, and servlet path parameters.
  const plain = path.replace(/\.\.;[^/]*\//g, '../').replace(/\.{3,}\/+/g, '../');
  if (!hasParentSegment(plain)) return null;
  const climbs = (plain.match(/(?:^|\/)\.\.(?=\/)/g) ?? []).length;
  if (climbs >= 2) return `climbs ${climbs} directories`;
  const rest = normalisePath(plain.replace(/^\/+/, '')).replace(/^(?:\.\.\/)+/, '');
  return climbs === 1 && namesSensitivePath(rest) ? `climbs to \`${printable(rest, 120)}\`` : null;
}

/** Longer values and those of many lines are documents, where shell syntax is quoted, not sent to a shell. */
const LONGEST_PAYLOAD = 1024;
const MOST_LINES = 3;

const SEPARATOR = /\|\|?|&&?|;|\n|\r\n?|`|[$<>]\(/g;
const COMMAND =
  /(?:[ \t]|\$\{?IFS\}?(?:\$9)?)*(?:\/(?:usr\/)?(?:local\/)?s?bin\/)?([a-z][a-z0-9]{0,11})(?![\w./:=-])/y;
const BLANK = /^(?:[ \t+<>{]|\$\{?IFS)/;

/** Commands that do something worth probing for without an argument. */
const RUNS_BARE: ReadonlySet<string> = new Set(
  'id whoami uname ls dir pwd ps env printenv ifconfig netstat hostname sh bash w'.split(' '),
);

/** What is decisive about a value that has the shape of a command injection, for people, or null. */
export function commandShape(value: ByteString): string | null {
  if (value.length < 3 || value.length > LONGEST_PAYLOAD) return null;
  if (SHELLSHOCK.test(value)) return 'defines a function and goes on, as Shellshock does';
  if (lines(value) > MOST_LINES || isListOfWords(value)) return null;
  SEPARATOR.lastIndex = 0;
  for (let match = SEPARATOR.exec(value); match !== null; match = SEPARATOR.exec(value)) {
    const end = SEPARATOR.lastIndex;
    COMMAND.lastIndex = end;
    const command = COMMAND.exec(value)?.[1];
    if (command === undefined || !PAYLOAD_COMMANDS.has(command)) continue;
    if (looksRun(value, match[0], match.index, end, command, COMMAND.lastIndex)) {
      const separator = match[0].trim() === '' ? 'a line end' : `\`${match[0]}\``;
      return `has the command \`${command}\` after ${separator}`;
    }
  }
  return null;
}

const SHELLSHOCK = /^\(\)\s{0,8}\{[^}]{0,32}\}\s{0,8};/;

function lines(value: ByteString): number {
  let count = 1;
  for (let at = value.indexOf('\n'); at !== -1 && count <= MOST_LINES; at = value.indexOf('\n', at + 1))
    count++;
  return count;
}

/** `name;id;email`, `salt|pepper|sh`: lists of field names and tags, most of them no commands. */
function isListOfWords(value: ByteString): boolean {
  if (!/^[A-Za-z_]{2,}(?:[;|&,][A-Za-z_]{2,})+$/.test(value)) return false;
  const words = value.split(/[;|&,]/);
  return words.length >= 3 && words.filter((word) => !PAYLOAD_COMMANDS.has(word)).length >= 2;
}

/**
 * Whether what follows a separator reads as a command rather than as a sentence. Prose has `; ` and ` & ` and common
 * words after them ("cats & dogs; id cards"), so a command has to have an argument as shells see them, or be complete.
 */
function looksRun(
  value: ByteString,
  separator: ByteString,
  start: number,
  end: number,
  command: ByteString,
  commandEnd: number,
): boolean {
  if (separator === '`' || separator === '$(') return isSubstitution(value, separator, start, commandEnd);
  const rest = value.slice(commandEnd, commandEnd + 256);
  const before = value.slice(0, start);
  const isProse =
    (separator === ';' || separator === '&' || separator === '|') && /[ \t]/.test(value.charAt(end));
  const isComplete = /^[ \t]*(?:$|[;|&\n\r#)`'"<>]|%00|\0)/.test(rest);
  if (isComplete) return RUNS_BARE.has(command) && !(isProse && /\s\S+\s/.test(before));
  if (!BLANK.test(rest)) return false;
  const argument = rest.replace(/^(?:[ \t+]|\$\{?IFS\}?(?:\$9)?)+/, '');
  return hasShellArgument(command, argument, isProse);
}

const ARGUMENT = /^(?:-{1,2}[a-zA-Z]|~?\/[\w.]|\.{1,2}\/|https?:|["'$<>{(]|\d{1,3}(?:\.\d{1,3}){3}\b)/;

function hasShellArgument(command: ByteString, argument: ByteString, isProse: boolean): boolean {
  switch (command) {
    case 'sleep':
      return /^\d+(?:\.\d+)?[smhd]?\s*(?:$|[;|&#)'"`\n])/.test(argument);
    case 'nc':
    case 'ncat':
    case 'netcat':
    case 'telnet':
      return ARGUMENT.test(argument) || /^[\w.-]+ \d{1,5}\b/.test(argument);
    case 'echo':
    case 'printf':
      if (isProse) return /^["'$]?[\w.-]+["']?\s*(?:$|[;|&#>])/.test(argument);
      return argument !== '';
    case 'ping':
    case 'nslookup':
    case 'dig':
    case 'host':
    case 'curl':
    case 'wget':
      return ARGUMENT.test(argument) || /^[\w-]+(?:\.[\w-]+)+/.test(argument);
    case 'id':
    case 'w':
      return /^-[a-z]|^[;|&>]/.test(argument);
    default:
      return ARGUMENT.test(argument) || /^[\w.-]*[./][\w./-]*(?:$|[\s;|&#])/.test(argument);
  }
}

/** Text uses backticks as quotes: a substitution stands in a value without blanks of its own. */
function isSubstitution(
  value: ByteString,
  separator: ByteString,
  start: number,
  commandEnd: number,
): boolean {
  const close = value.indexOf(separator === '`' ? '`' : ')', commandEnd);
  if (close === -1) return false;
  if (!/^[\s;|&)`<>$-]/.test(value.charAt(commandEnd))) return false;
  return !/\s/.test(value.slice(0, start).trim()) && !/\s/.test(value.slice(close + 1).trim());
}
