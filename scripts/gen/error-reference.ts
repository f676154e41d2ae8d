import { ERRORS } from '../../src/base/errors.ts';
import { generatedNote, markdownTable } from './markdown.ts';

/** Meaning of the first digit of a code. */
const GROUPS: Readonly<Record<string, string>> = {
  1: 'Host and kernel',
  2: 'Recordings',
  3: 'Command line',
  4: 'Rules',
  9: 'Internal',
};

/** docs/reference/errors.md */
export function generateErrorReference(): string {
  const byGroup = Map.groupBy(Object.entries(ERRORS), ([code]) => code.charAt(2));
  const sections = [...byGroup].map(([digit, errors]) => {
    const rows = errors.map(([code, { message, hint, exitCode }]) => [code, message, hint, String(exitCode)]);
    const title = GROUPS[digit];
    if (title === undefined) throw new Error(`errors TL${digit}xxx have no title in ${import.meta.filename}`);
    return `## ${title}\n\n${markdownTable(['code', 'message', 'what to do', 'exit code'], rows)}`;
  });
  const introduction = [
    '# Errors',
    '',
    'Every error that Throughline can end with. It prints as two lines on stderr, the second says what to do; with',
    '`--json` a line `{"kind":"error","code","message","hint"}` follows on stderr. Codes keep their meaning for ever.',
  ].join('\n');
  return [generatedNote('src/base/errors.ts'), introduction, ...sections].join('\n\n') + '\n';
}
