import { endpointText } from '../../base/addresses.ts';
import type { ExecTrait } from '../../model/exec-details.ts';
import type { EffectView, ExecEffectView } from '../views.ts';
import { actionText } from './action-text.ts';
import { queryLine } from './query-line.ts';
import type { Terminal } from './terminal.ts';
import { commandText, exitText } from './wording.ts';

/** One effect on one line, without its process. */
export function effectLine(effect: EffectView, terminal: Terminal, limit = 400): string {
  switch (effect.type) {
    case 'exec':
      return terminal.paint('bold', execText(effect, terminal, limit)) + disguiseText(effect, terminal);
    case 'exit':
      return exitText(effect.code);
    case 'open':
      return fileLine(effect, terminal, limit);
    case 'connect':
      return connectionLine(effect, terminal, limit);
    case 'action':
      return actionText(effect, terminal, limit);
    case 'query':
      return queryLine(effect, terminal, limit);
  }
}

/** The mark of an effect that is not proven by its thread alone; '' for exact ones. */
export function gradeMark(effect: EffectView, terminal: Terminal): string {
  if (effect.grade === 'exact') return '';
  const style = effect.grade === 'ambiguous' || effect.grade === 'none' ? 'yellow' : 'cyan';
  return ' ' + terminal.paint(style, `[${effect.grade}]`);
}

export function execText(effect: ExecEffectView, terminal: Terminal, limit = 400): string {
  const argv = effect.argv.length > 0 ? effect.argv : [effect.path];
  return commandText(argv, terminal, limit) + (effect.argvTruncated ? ' ' + terminal.symbols.ellipsis : '');
}

const TRAIT_TEXTS: Readonly<Record<ExecTrait, string>> = {
  memfd: 'memfd',
  deleted: 'deleted',
  'upper-layer': 'upper layer',
  setuid: 'setuid',
  setgid: 'setgid',
  'world-writable': 'world-writable',
  'kernel-started': 'started by the kernel',
};

/**
 * What the program's own name for itself hides: the executable, where that is another one (sh that is dash, a copy with a
 * friendly name), and what is remarkable about it.
 */
export function disguiseText(effect: ExecEffectView, terminal: Terminal): string {
  const claimed = lastPart(effect.argv[0] ?? '');
  const isPlain = effect.executable === '' || claimed === lastPart(effect.executable);
  const executable = isPlain ? '' : ' ' + terminal.paint('dim', `(${terminal.safe(effect.executable, 200)})`);
  if (effect.traits.length === 0) return executable;
  const traits = effect.traits.map((trait) => TRAIT_TEXTS[trait]).join(', ');
  return `${executable} ${terminal.paint('yellow', `[${traits}]`)}`;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function fileLine(effect: EffectView & { type: 'open' }, terminal: Terminal, limit: number): string {
  const path = terminal.safe(effect.resolvedPath === '' ? effect.path : effect.resolvedPath, limit);
  if (effect.error !== null) {
    const attempt = terminal.paint('dim', `${effect.write ? 'write' : 'open'} ${path}`);
    return `${attempt}  ${terminal.paint('red', effect.error)}`;
  }
  return effect.write ? `${terminal.paint('yellow', 'write')} ${path}` : `open ${path}`;
}

function connectionLine(effect: EffectView & { type: 'connect' }, terminal: Terminal, limit: number): string {
  const isDatagram = effect.transport === 'datagram' && effect.family !== 'unix';
  const endpoint = terminal.safe(endpointText(effect.address, effect.port, effect.family), limit);
  const remote = (isDatagram ? 'udp ' : '') + endpoint;
  if (effect.error !== null)
    return `${terminal.paint('dim', `connect ${remote}`)}  ${terminal.paint('red', effect.error)}`;
  const progress = effect.inProgress ? terminal.paint('dim', '  (in progress)') : '';
  return `${terminal.paint('cyan', 'connect')} ${remote}${progress}`;
}
