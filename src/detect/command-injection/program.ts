import type { ByteString } from '../../base/bytes.ts';
import type { ExecEffect } from '../../model/effect.ts';
import type { ShellDialect } from './shell.ts';

/** An argument of a program that is itself a program text. */
export interface CodeArgument {
  /** Its index in argv. */
  readonly index: number;
  readonly text: ByteString;
  /** The text may have been cut by the capture limit: how it ends says nothing. */
  readonly isCut: boolean;
}

export type Program =
  | { readonly kind: 'shell'; readonly dialect: ShellDialect; readonly command: CodeArgument | null }
  | { readonly kind: 'interpreter'; readonly name: string; readonly code: CodeArgument }
  | { readonly kind: 'other' };

const SHELLS: ReadonlySet<string> = new Set(
  'sh bash dash ash hush ksh ksh93 mksh lksh oksh pdksh zsh yash rbash busybox toybox'.split(' '),
);
/** Programs of many names: the first argument says which one where they are called by their own name. */
const MULTI_CALL: ReadonlySet<string> = new Set(['busybox', 'toybox']);

/** The last segment of a path, without the dash of login shells. */
export function baseName(path: ByteString): ByteString {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.startsWith('-') ? name.slice(1) : name;
}

/** Whether a program is a shell, by the path of its executable. */
export function isShellPath(path: ByteString): boolean {
  return SHELLS.has(baseName(path));
}

/**
 * What an exec runs as far as code in its arguments is concerned. A shell is one by the name that it was called by, not
 * by its executable alone: for a script the kernel reports the interpreter as the executable, and the script's own
 * options are not the shell's.
 */
export function programOf(effect: ExecEffect): Program {
  return programAt(effect, 0, baseName(effect.path));
}

function programAt(effect: ExecEffect, start: number, calledBy: ByteString): Program {
  const { argv } = effect;
  let name = calledBy;
  let at = start;
  if (!SHELLS.has(name) && start === 0 && SHELLS.has(baseName(effect.executable))) {
    const first = baseName(argv[0] ?? '');
    if (SHELLS.has(first)) name = first;
  }
  if (MULTI_CALL.has(name)) {
    const first = baseName(argv[at] ?? '');
    if (MULTI_CALL.has(first)) at++;
    name = baseName(argv[at] ?? '');
  }
  if (SHELLS.has(name)) {
    const executable = start === 0 ? baseName(effect.executable) : name;
    const isPosix = executable === 'dash' || executable === 'sh' || executable === '' || name === 'dash';
    return { kind: 'shell', dialect: isPosix ? 'posix' : 'extended', command: shellCommand(effect, at + 1) };
  }
  if (name === 'env' && start === 0) {
    const inner = afterEnvironment(argv);
    if (inner !== -1) return programAt(effect, inner, baseName(argv[inner] ?? ''));
  }
  const code = interpreterCode(effect, name, at + 1);
  return code === null ? { kind: 'other' } : { kind: 'interpreter', name, code };
}

function codeArgument(effect: ExecEffect, index: number): CodeArgument | null {
  const text = effect.argv[index];
  if (text === undefined) return null;
  return { index, text, isCut: effect.argvTruncated && index === effect.argv.length - 1 };
}

/** Options of shells that take the next argument. */
const SHELL_OPTIONS_WITH_VALUE = /^(?:[-+][A-Za-z]*[oO]|--rcfile|--init-file)$/;

/** The command string: with `-c` anywhere among the options, the first argument that is none. */
function shellCommand(effect: ExecEffect, from: number): CodeArgument | null {
  const { argv } = effect;
  let runsString = false;
  let at = from;
  for (; at < argv.length; at++) {
    const argument = argv[at] ?? '';
    if (argument === '--' || argument === '-') {
      at++;
      break;
    }
    if (argument.length < 2 || !'-+'.includes(argument.charAt(0))) break;
    if (/^-[A-Za-z]*c[A-Za-z]*$/.test(argument)) runsString = true;
    if (SHELL_OPTIONS_WITH_VALUE.test(argument)) at++;
  }
  return runsString ? codeArgument(effect, at) : null;
}

/** Index of the program that env starts, or -1. */
function afterEnvironment(argv: readonly ByteString[]): number {
  for (let at = 1; at < argv.length; at++) {
    const argument = argv[at] ?? '';
    if (['-u', '-C', '--unset', '--chdir'].includes(argument)) at++;
    else if (!argument.startsWith('-') && !/^[^=/]+=/.test(argument)) return at;
  }
  return -1;
}

interface Interpreter {
  readonly name: RegExp;
  /** The option whose argument is program text. */
  readonly code: RegExp;
  /** Options that take the next argument. */
  readonly withValue: RegExp;
}

const INTERPRETERS: readonly Interpreter[] = [
  { name: /^(?:python|pypy)[\d.]*$/, code: /^-[A-Za-z]*c$/, withValue: /^-[A-Za-z]*[WXQ]$/ },
  { name: /^perl[\d.]*$/, code: /^-[A-Za-z]*[eE]$/, withValue: /^-I$/ },
  { name: /^ruby[\d.]*$/, code: /^-[A-Za-z]*e$/, withValue: /^-[IrE]$/ },
  {
    name: /^(?:node|nodejs|bun|deno)$/,
    code: /^(?:-e|-p|-pe|--eval|--print|eval)$/,
    withValue: /^(?:-r|-C|--require|--import|--conditions)$/,
  },
  { name: /^php[\d.]*(?:-cli|-cgi)?$/, code: /^(?:-r|--run)$/, withValue: /^-[cdz]$/ },
  { name: /^lua(?:jit)?[\d.]*$/, code: /^-e$/, withValue: /^-l$/ },
];

function interpreterCode(effect: ExecEffect, name: ByteString, from: number): CodeArgument | null {
  const interpreter = INTERPRETERS.find((candidate) => candidate.name.test(name));
  if (interpreter === undefined) return null;
  for (let at = from; at < effect.argv.length; at++) {
    const argument = effect.argv[at] ?? '';
    if (interpreter.code.test(argument)) return codeArgument(effect, at + 1);
    if (interpreter.withValue.test(argument)) at++;
    else if (!argument.startsWith('-') || argument === '--') return null;
  }
  return null;
}
