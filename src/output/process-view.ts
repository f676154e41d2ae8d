import { textFromByteString, type ByteString } from '../base/bytes.ts';
import type { Effect } from '../model/effect.ts';
import { traitsOf } from '../model/exec-details.ts';
import type { Process } from '../model/process.ts';
import { labelledContainerView } from './container-view.ts';
import { commOf, hashOf, type ViewContext } from './effect-view.ts';
import { environmentOf } from './environment-view.ts';
import type { AncestorView, ProcessView } from './views.ts';

const MAX_ARGUMENTS = 64;
const MAX_ANCESTORS = 16;

export function processView(process: Process, context: ViewContext): ProcessView {
  return {
    pid: process.pid,
    exe: textFromByteString(process.executable),
    comm: textFromByteString(process.comm),
    argv: argumentTexts(process.argv),
    cwd: textFromByteString(process.workingDirectory),
    uid: process.uid,
    user: process.userName,
    traits: traitsOf(process.details),
    ...hashOf(process.file),
    ...environmentOf(process.environment, context),
    container: labelledContainerView(process),
    unit: process.serviceUnit,
    ancestors: ancestorsOf(process),
  };
}

/** The process of an effect, as it was at that moment: an exec's own program, not what it became later. */
export function processOfEffectView(effect: Effect, context: ViewContext): ProcessView {
  const view = processView(effect.process, context);
  if (effect.type !== 'exec') return view;
  return {
    ...view,
    exe: textFromByteString(effect.executable),
    comm: textFromByteString(commOf(effect)),
    argv: argumentTexts(effect.argv),
    cwd: textFromByteString(effect.workingDirectory),
    uid: effect.uid,
    user: effect.uid === effect.process.uid ? effect.process.userName : null,
    traits: traitsOf(effect.details),
    ...hashOf(effect.file),
    ...environmentOf(effect.environment, context),
  };
}

function ancestorsOf(process: Process): AncestorView[] {
  const ancestors: AncestorView[] = [];
  for (let next = process.parent; next !== null && ancestors.length < MAX_ANCESTORS; next = next.parent) {
    ancestors.push({
      pid: next.pid,
      exe: textFromByteString(next.executable),
      comm: textFromByteString(next.comm),
      argv: argumentTexts(next.argv),
    });
  }
  return ancestors;
}

function argumentTexts(argv: readonly ByteString[]): string[] {
  return argv.slice(0, MAX_ARGUMENTS).map(textFromByteString);
}
