import { byteStringFromText } from '../base/bytes.ts';
import type { Verdict } from '../model/finding.ts';
import { RUNTIME_KINDS, type RuntimeSocket } from '../containers/contract.ts';
import type { EngineOptions } from './contract.ts';
import type { FindingView } from '../output/views.ts';
import { choice, duration, flag, InvalidValueError, list, oneOf } from './option.ts';

/** Options that several commands share: one wording, one meaning. */

/** From a mere attempt to a proven attack. A blocked one did less than one that worked. */
const VERDICTS = ['PROBED', 'SUSPICIOUS', 'BLOCKED', 'EXPLOITED'] as const satisfies readonly Verdict[];

export const jsonOption = flag('print one JSON object a line, for programs');

export const durationOption = duration('end after so many seconds (also 10m, 2h)');

export const verdictOption = choice('LEVEL', VERDICTS, 'PROBED', 'print findings from this verdict up');

export function reaches(finding: FindingView, minimum: Verdict): boolean {
  return VERDICTS.indexOf(finding.verdict) >= VERDICTS.indexOf(minimum);
}

/** Switches for the probes in functions of programs and libraries: each family can be left out. */
export const probeOptions = {
  'no-tls': flag('leave TLS libraries alone: what is inside of HTTPS is not seen'),
  'no-runtime-probes': flag('leave language runtimes alone: work that they hand over inside is not followed'),
} as const;

/** The sensor that each of them switches off. */
const SENSOR_OF = { 'no-tls': 'tls', 'no-runtime-probes': 'runtime' } as const;
type ProbeSwitch = keyof typeof SENSOR_OF;

/** Sensors that the user does not want. */
export function disabledBy(
  values: Readonly<Record<ProbeSwitch, boolean>>,
): Required<Pick<EngineOptions, 'disabled'>> {
  const disabled: Record<string, string> = {};
  for (const name of Object.keys(SENSOR_OF) as ProbeSwitch[])
    if (values[name]) disabled[SENSOR_OF[name]] = `switched off with --${name}`;
  return { disabled };
}

/** Variables of the environment that programs are told with. */
export const environmentOptions = {
  env: list(
    'NAME',
    'tell of each program that is started whether these variables of its environment are set; their values are hidden, but for rules',
    readVariable,
  ),
  'env-values': flag('show the values of the variables that --env names'),
};

/** What the options say, for the engine. */
export function environmentOf(values: {
  readonly env: readonly string[] | null;
  readonly 'env-values': boolean;
}): Pick<EngineOptions, 'environment'> {
  const { env: names, 'env-values': showsValues } = values;
  if (names === null) return showsValues ? { environment: { names: [], showsValues } } : {};
  return { environment: { names, showsValues } };
}

function readVariable(name: string): string {
  if (!/^[^=\0]{1,256}$/.test(name))
    throw new InvalidValueError(`must be the name of a variable, not ${JSON.stringify(name)}`);
  return byteStringFromText(name);
}

export const hashOption = flag(
  'hash each program that is started (SHA-256): its event waits half a second at most for it',
);

/** Which container runtimes are asked for names; null: not given. */
export const runtimeOption = list(
  'KIND:PATH',
  `ask this socket for the names of containers, instead of those in the usual places; KIND is one of ${RUNTIME_KINDS.join(', ')}; none asks nobody`,
  readRuntime,
);

/** What the option says, for the engine. */
export function runtimesOf(values: {
  readonly 'container-runtime': readonly (RuntimeSocket | null)[] | null;
}): Pick<EngineOptions, 'containerRuntimes'> {
  const given = values['container-runtime'];
  return given === null ? {} : { containerRuntimes: given.filter((socket) => socket !== null) };
}

function readRuntime(text: string): RuntimeSocket | null {
  if (text === 'none') return null;
  const [, kind, path] = /^([a-z]+):(\/.*)$/s.exec(text) ?? [];
  if (kind === undefined || path === undefined)
    throw new InvalidValueError(`must be like docker:/run/docker.sock, or none, not ${JSON.stringify(text)}`);
  return { kind: oneOf(RUNTIME_KINDS, kind), path };
}
