import type { Style, Terminal } from '../../output/text/terminal.ts';
import type { AlertMessage } from '../contract.ts';

const STYLES: Readonly<Record<string, Style>> = {
  Emergency: 'red',
  Alert: 'red',
  Critical: 'red',
  Error: 'red',
  Warning: 'yellow',
};

/** An alert on one line, as the reference engine prints it. Ends with a line feed. */
export function alertText({ output, priority }: AlertMessage, terminal: Terminal): string {
  const style = STYLES[priority];
  return `${style === undefined ? output : terminal.paint(style, output)}\n`;
}
