import type { ByteString } from '../../base/bytes.ts';
import { directoryLeft } from '../../base/path.ts';
import { dropOldest } from '../../base/oldest.ts';
import { printable } from '../../base/printable.ts';
import type { Effect, ExecEffect } from '../../model/effect.ts';
import type { Detection, Evidence, Severity } from '../../model/finding.ts';
import type { Request, RequestMessage } from '../../model/request.ts';
import { ATTACKER_CHOSEN_COMMANDS } from '../attack-commands.ts';
import { CandidateBudget } from '../candidate-budget.ts';
import type { Detector } from '../contract.ts';
import { describeInput, findNeedle, needlesOf, rememberByMessage, type Needle } from '../needles.ts';
import { isChosenProgram, isClimbing, judgeCodeSpan, judgeShellSpan, type Judgement } from './judgement.ts';
import { baseName, isShellPath, programOf, type CodeArgument, type Program } from './program.ts';
import { scanShell, type ShellScan } from './shell.ts';

const NAME = 'command-injection';

/**
 * Command injection (CWE-78), argument injection (CWE-88) and code injection (CWE-94) as a program start shows them: the
 * bytes of a request in what was executed, at a place where they are more than data.
 *
 * Known false positives: an application whose purpose is to run what it is sent (SUSPICIOUS where the value is the
 * whole command line, EXPLOITED where the application wraps it in a line of its own); a value that changes the structure
 * of a command line without meaning harm, such as `R&D` unquoted: it is the defect itself that shows.
 * Known misses: values that the program changed before use other than by the forms of RequestInput.
 */
export function createCommandInjection(): Detector {
  const shells = new ShellLineage();
  const budget = new CandidateBudget();
  return {
    name: NAME,
    onEffect(effect: Effect): readonly Detection[] {
      if (effect.type !== 'exec') return [];
      const program = programOf(effect);
      const isFromShell = shells.note(effect, program.kind === 'shell');
      const { request, candidates } = effect.attribution;
      const possible = request === null ? candidates : [request];
      const view: ExecView = { effect, program, isFromShell, scan: null };
      const matches: Match[] = [];
      for (const candidate of possible) {
        if (request === null) {
          if (!budget.admits(candidate.message, effect.timeNs)) break;
          budget.learn(candidate.message, candidate.message.inputs.length);
        }
        const match = matchRequest(view, candidate);
        if (match !== null) matches.push(match);
      }
      if (matches.length > 0) return [detection(effect, matches)];
      return request !== null && program.kind === 'shell' && !isFromShell && hasCutHead(request)
        ? [uncheckedShell(effect, request)]
        : [];
    },
  };
}

/** More of its head was sent than is captured: the part that was not seen may hold any parameter. */
function hasCutHead({ message }: Request): boolean {
  return message.isTruncated && message.anomalies.includes('cut-head');
}

/** A shell that such a request runs cannot be cleared: padding would be all it takes to hide an attack. */
function uncheckedShell(effect: ExecEffect, request: Request): Detection {
  const note = 'the head of the request is longer than what is captured, so its parameters are not all known';
  return {
    detector: NAME,
    verdict: 'SUSPICIOUS',
    class: 'command-injection',
    severity: 'medium',
    title: `Shell run by a request with an oversized head: ${printable(effect.argv.join(' '), 120)}`,
    cwe: [78],
    attack: ['T1190', 'T1059.004'],
    request,
    effect,
    evidence: [
      {
        source: 'request head',
        value: request.message.target.slice(0, 256),
        sink: null,
        sinkValue: null,
        offset: -1,
        note,
      },
    ],
  };
}

interface ExecView {
  readonly effect: ExecEffect;
  readonly program: Program;
  /** A shell started the program: what it was told is judged on the shell's own command line. */
  readonly isFromShell: boolean;
  /** Made when the first needle stands in the command line. */
  scan: ShellScan | null;
}

type AttackClass = 'command-injection' | 'argument-injection' | 'code-injection';

interface Match {
  readonly request: Request;
  readonly attackClass: AttackClass;
  readonly judgement: Judgement;
  readonly evidence: Evidence;
}

interface ExecNeedles {
  /**
   * Those that can change a command line: they have an active byte, a blank, a slash, or name an attacker's program.
   * Longest first: the number of places that are judged is limited.
   */
  readonly inText: readonly Needle[];
  readonly byForm: ReadonlyMap<ByteString, Needle>;
  readonly climbing: readonly Needle[];
}

const SHORTEST_NEEDLE = 2;
/** Shorter ones stand in command lines by chance. `;id` has three. */
const SHORTEST_IN_TEXT = 3;
const CAN_CHANGE_TEXT = /[\s;|&`$<>(){}'"/=+]/;

const execNeedles = rememberByMessage((message: RequestMessage): ExecNeedles => {
  const all = needlesOf(message, SHORTEST_NEEDLE);
  const inText = all.filter(
    ({ form }) =>
      (form.length >= SHORTEST_IN_TEXT && CAN_CHANGE_TEXT.test(form)) || ATTACKER_CHOSEN_COMMANDS.has(form),
  );
  return {
    inText: inText.sort((one, other) => other.form.length - one.form.length),
    byForm: new Map(all.map((needle) => [needle.form, needle])),
    climbing: all.filter(({ form }) => isClimbing(form)),
  };
});

function matchRequest(view: ExecView, request: Request): Match | null {
  const needles = execNeedles(request.message);
  if (needles.byForm.size === 0) return null;
  return (
    matchShell(view, request, needles) ??
    matchProgram(view, request, needles) ??
    matchCode(view, request, needles) ??
    matchArgument(view, request, needles)
  );
}

/** At most so many places of one needle, and of all needles, are judged. */
const MAX_PLACES_OF_NEEDLE = 16;
const MAX_PLACES = 256;

function matchShell(view: ExecView, request: Request, needles: ExecNeedles): Match | null {
  if (view.program.kind !== 'shell' || view.program.command === null) return null;
  const { command, dialect } = view.program;
  return strongestPlace(request, NAME, command, needles.inText, (start, end, needle) => {
    if (view.scan === null) {
      const scan = scanShell(command.text, dialect);
      view.scan = command.isCut ? { ...scan, rejectedFrom: command.text.length } : scan;
    }
    return judgeShellSpan(view.scan, command.text, start, end, needle);
  });
}

function matchCode({ program }: ExecView, request: Request, needles: ExecNeedles): Match | null {
  if (program.kind !== 'interpreter') return null;
  return strongestPlace(request, 'code-injection', program.code, needles.inText, (start, end) =>
    judgeCodeSpan(program.code.text, start, end),
  );
}

type Judge = (start: number, end: number, needle: Needle) => Judgement | null;

/** The first place that proves, else the first that raises suspicion. */
function strongestPlace(
  request: Request,
  attackClass: AttackClass,
  { index, text }: CodeArgument,
  needles: readonly Needle[],
  judge: Judge,
): Match | null {
  let suspicion: Match | null = null;
  let places = 0;
  for (const needle of needles) {
    let at = findNeedle(text, needle.form);
    for (let place = 0; at !== -1 && place < MAX_PLACES_OF_NEEDLE && places < MAX_PLACES; place++) {
      places++;
      const judgement = judge(at, at + needle.form.length, needle);
      if (judgement !== null) {
        const match: Match = {
          request,
          attackClass,
          judgement,
          evidence: evidenceOf(needle, `argv[${index}]`, text, at, judgement.note),
        };
        if (judgement.verdict === 'EXPLOITED') return match;
        suspicion ??= match;
      }
      at = findNeedle(text, needle.form, at + needle.form.length);
    }
  }
  return suspicion;
}

/** The request names the program that is executed, not through a shell. */
function matchProgram(view: ExecView, request: Request, needles: ExecNeedles): Match | null {
  if (view.isFromShell) return null;
  const { effect } = view;
  const found = (needle: Needle, sink: string, value: ByteString): Match => {
    const note = 'names the program that is executed';
    return {
      request,
      attackClass: NAME,
      judgement: { verdict: 'EXPLOITED', note, deed: `runs \`${printable(value, 80)}\`` },
      evidence: evidenceOf(needle, sink, value, value.length - needle.form.length, note),
    };
  };
  for (const [sink, value] of [
    ['path', effect.path],
    ['executable', effect.executable],
  ] as const) {
    const needle = value === '' ? undefined : needles.byForm.get(value);
    if (needle !== undefined && value.includes('/') && isChosenProgram(needle))
      return found(needle, sink, value);
  }
  for (const needle of needles.climbing) {
    if (!effect.path.endsWith(needle.form)) continue;
    const offset = effect.path.length - needle.form.length;
    if (directoryLeft(effect.path, offset, effect.workingDirectory) !== null)
      return found(needle, 'path', effect.path);
  }
  const name = effect.argv[0] ?? '';
  const named = needles.byForm.get(name);
  if (named !== undefined && isChosenProgram(named) && baseName(effect.path) === baseName(name)) {
    return found(named, 'argv[0]', name);
  }
  return null;
}

/** Programs that take no options worth having. */
const TAKES_TEXT: ReadonlySet<string> = new Set([
  'echo',
  'printf',
  'test',
  '[',
  'expr',
  'true',
  'false',
  'logger',
]);
/** Programs whose `-e` says that a pattern follows. */
const TAKES_PATTERN = /^(?:[ef]?grep|rg|ag|ack|sed)$/;

/**
 * An argument that begins with a dash and is the client's: the program reads an option where the application meant
 * data. SUSPICIOUS only, since what the option does is the program's business and an application may offer options.
 */
function matchArgument({ effect, program }: ExecView, request: Request, needles: ExecNeedles): Match | null {
  const { argv } = effect;
  const name = baseName(effect.path);
  if (TAKES_TEXT.has(name)) return null;
  const end = program.kind === 'shell' && program.command !== null ? program.command.index : argv.length;
  for (let index = 1; index < end; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') return null;
    if (argument.length < 2 || !argument.startsWith('-')) continue;
    const needle = needles.byForm.get(argument);
    if (needle === undefined) continue;
    const previous = argv[index - 1];
    if ((previous === '-e' || previous === '--regexp') && TAKES_PATTERN.test(name)) continue;
    const note = `is a whole argument and reads as an option of \`${printable(name, 60)}\``;
    return {
      request,
      attackClass: 'argument-injection',
      judgement: {
        verdict: 'SUSPICIOUS',
        note,
        deed: `is an option of \`${printable(name, 60)}\``,
      },
      evidence: evidenceOf(needle, `argv[${index}]`, argument, 0, note),
    };
  }
  return null;
}

function evidenceOf(
  needle: Needle,
  sink: string,
  sinkValue: ByteString,
  offset: number,
  note: string,
): Evidence {
  return { source: describeInput(needle.input), value: needle.form, sink, sinkValue, offset, note };
}

interface ClassFacts {
  readonly title: string;
  readonly cwe: readonly number[];
  readonly attack: readonly string[];
  readonly exploited: Severity;
  readonly suspicious: Severity;
}

const CLASSES: Readonly<Record<AttackClass, ClassFacts>> = {
  'command-injection': {
    title: 'Command injection',
    cwe: [78],
    attack: ['T1190', 'T1059.004'],
    exploited: 'critical',
    suspicious: 'high',
  },
  'argument-injection': {
    title: 'Argument injection',
    cwe: [88],
    attack: ['T1190', 'T1059'],
    exploited: 'high',
    suspicious: 'medium',
  },
  'code-injection': {
    title: 'Code injection',
    cwe: [94],
    attack: ['T1190', 'T1059'],
    exploited: 'critical',
    suspicious: 'high',
  },
};

/**
 * One detection for an exec. Among several possible requests the bytes name the one that carries them; where several
 * carry them (identical attacks in flight) none is named, yet the effect is proof: each of them sends it.
 */
function detection(effect: ExecEffect, matches: readonly Match[]): Detection {
  const best = matches.find(({ judgement }) => judgement.verdict === 'EXPLOITED') ?? matches[0];
  if (best === undefined) throw new Error('no match');
  const facts = CLASSES[best.attackClass];
  const { verdict, deed } = best.judgement;
  const others = matches.length - 1;
  const shared = others === 0 ? '' : ` (${matches.length} requests in flight carry these bytes)`;
  return {
    detector: NAME,
    verdict,
    class: best.attackClass,
    severity: verdict === 'EXPLOITED' ? facts.exploited : facts.suspicious,
    title: `${facts.title}: ${best.evidence.source} ${deed}${through(effect, best)}`,
    cwe: facts.cwe,
    attack: facts.attack,
    request: others === 0 ? best.request : null,
    effect,
    evidence: [{ ...best.evidence, note: best.evidence.note + shared }],
  };
}

function through(effect: ExecEffect, match: Match): string {
  if (match.attackClass === 'argument-injection' || !match.evidence.sink?.startsWith('argv[')) return '';
  if (match.evidence.sink === 'argv[0]') return '';
  return ` through \`${printable(baseName(effect.argv[0] ?? effect.path), 40)}\``;
}

/** Far more processes than shells live at once. */
const MAX_SHELLS = 4096;

/**
 * Which processes run, or ran before their newest exec, a shell: shells replace themselves by the last command they
 * run, and the process shows only the newest program.
 */
class ShellLineage {
  readonly #shells = new Map<number, number>();

  /** Whether a shell started this program. Remembers the process when the program is a shell itself. */
  note(effect: ExecEffect, isShell: boolean): boolean {
    const { process } = effect;
    const known = this.#shells.get(process.pid) === process.startTicks;
    if (isShell && !known) {
      if (this.#shells.size >= MAX_SHELLS) dropOldest(this.#shells);
      this.#shells.set(process.pid, process.startTicks);
    }
    if (known) return true;
    const { parent } = process;
    return (
      parent !== null &&
      (isShellPath(parent.executable) || this.#shells.get(parent.pid) === parent.startTicks)
    );
  }
}
