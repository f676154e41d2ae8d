import { endpointText } from '../../base/addresses.ts';
import type { QueryEffectView, QueryOutcomeView } from '../views.ts';
import type { Terminal } from './terminal.ts';
import { clipped } from './width.ts';
import { countText, durationText } from './wording.ts';

const MAX_PARAMETERS = 8;
const MAX_ANSWERS = 4;

/**
 * What was asked of a data service, and what came of it, on one line:
 * `query postgresql: SELECT * FROM users WHERE id = $1  (42)  shop at 10.0.0.7:5432, 1 row, 1.2 ms`.
 *
 * @param limit columns that the statement may take
 */
export function queryLine(effect: QueryEffectView, terminal: Terminal, limit: number): string {
  const protocol = terminal.safe(effect.protocol, 20);
  const facts = [placeText(effect, terminal), ...outcomeTexts(effect.outcome, terminal)];
  if (effect.durationMs !== null) facts.push(durationText(effect.durationMs));
  return [
    `${terminal.paint('magenta', 'query')} ${protocol}: ${statementText(effect, terminal, limit)}`,
    parameterText(effect, terminal),
    facts.map((fact) => (fact.includes('\x1b') ? fact : terminal.paint('dim', fact))).join(', '),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** Statements are written on many lines; here they are read on one. */
function statementText(effect: QueryEffectView, terminal: Terminal, limit: number): string {
  const { operation, statement } = effect;
  // Of a name that is looked up the type of record says what is wanted of it; a statement has its verb in it.
  const question = effect.protocol === 'dns' ? `${operation} ${statement}` : statement || operation;
  const text = question.replace(/\s+/g, ' ').trim();
  const { ellipsis } = terminal.symbols;
  const cut = effect.truncated ? ' ' + ellipsis : '';
  return clipped(terminal.safe(text, limit), limit, ellipsis) + cut;
}

function parameterText({ parameters }: QueryEffectView, terminal: Terminal): string {
  if (parameters.length === 0) return '';
  const shown = parameters.slice(0, MAX_PARAMETERS).map((value) => terminal.safe(value, 40));
  if (parameters.length > MAX_PARAMETERS) shown.push(terminal.symbols.ellipsis);
  return `(${shown.join(', ')})`;
}

function placeText({ database, remote }: QueryEffectView, terminal: Terminal): string {
  const endpoint = terminal.safe(endpointText(remote.ip, remote.port), 120);
  return database === '' ? `at ${endpoint}` : `${terminal.safe(database, 40)} at ${endpoint}`;
}

function outcomeTexts(outcome: QueryOutcomeView | null, terminal: Terminal): string[] {
  if (outcome === null) return ['no answer'];
  if (outcome.isError) {
    const message = [outcome.code, outcome.message].filter((part) => part !== '').join(' ');
    return [terminal.paint('red', `error ${terminal.safe(message, 120)}`)];
  }
  const texts: string[] = [];
  if (outcome.rows !== null) texts.push(countText(outcome.rows, 'row'));
  if (outcome.answers.length > 0) {
    const shown = outcome.answers.slice(0, MAX_ANSWERS).map((answer) => terminal.safe(answer, 60));
    const rest = outcome.answers.length - shown.length;
    texts.push(`${terminal.symbols.arrow} ${shown.join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`);
  }
  return texts;
}
