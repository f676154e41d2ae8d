import type { ActionFields } from '../action-view.ts';
import type { Terminal } from './terminal.ts';

/** An action on one line: what was done, to what, and how it ended. */
export function actionText(fields: ActionFields, terminal: Terminal, limit = 400): string {
  const said = Object.entries(fields.arguments).map(([name, value]) => argumentText(name, value));
  const line = [terminal.paint('yellow', fields.action), terminal.safe(said.join(' '), limit)]
    .join(' ')
    .trimEnd();
  return fields.error === null ? line : `${line}  ${terminal.paint('red', fields.error)}`;
}

/** What an action is about needs no name of its own. */
const OBVIOUS = new Set(['path', 'name']);

function argumentText(name: string, value: number | string | readonly string[]): string {
  const text = typeof value === 'object' ? value.join('|') || '0' : String(value);
  return OBVIOUS.has(name) ? text : `${name}=${text}`;
}
