import { AUDIT_EXECVE, AUDIT_RECORDS, CATEGORIES, type Category } from './fields.ts';
import { shown, SigmaError } from './problem.ts';
import type { SigmaRule } from './rule-document.ts';
import type { Value } from './yaml-value.ts';

/** The events of ours that the rule is for. @throws SigmaError where there are none */
export function categoryOf(rule: SigmaRule): Category {
  const { product, category, service } = rule.source;
  const refuse = (message: string) => new SigmaError('source', message, rule.sourceLine);
  if (product !== null && product !== 'linux') throw refuse(`it is for ${shown(product)}, not for linux`);
  if (service === 'auditd' && category === null) return auditCategory(rule);
  const known = category !== null && Object.hasOwn(CATEGORIES, category) ? CATEGORIES[category] : undefined;
  if (known !== undefined && (service === null || service === 'sysmon')) return known;
  const names = Object.keys(CATEGORIES).join(', ');
  if (service !== null)
    throw refuse(`the log of ${shown(service)} is none of our events: they are ${names}, and auditd`);
  if (category === null) throw refuse('it names no category: it is for logs of any kind');
  throw refuse(`the category ${shown(category)} is none of our events: they are ${names}`);
}

/** What a record means depends on its type, which all selections must agree on. */
function auditCategory(rule: SigmaRule): Category {
  const types = new Set([...rule.selections.values()].flatMap(recordTypes));
  const [only] = types;
  const refuse = (message: string) => new SigmaError('source', message, rule.sourceLine);
  // Records of programs alone have arguments that are texts.
  if (only === undefined && [...rule.selections.values()].some(asksForArguments)) {
    const note = 'it names no type of records: taken for EXECVE, since it asks for arguments';
    return { ...AUDIT_EXECVE, note };
  }
  if (only === undefined) throw refuse('it does not say of which type the records of auditd are');
  if (types.size > 1)
    throw refuse(`it is about records of several types: ${[...types].slice(0, 8).join(', ')}`);
  const category = Object.hasOwn(AUDIT_RECORDS, only.toLowerCase())
    ? AUDIT_RECORDS[only.toLowerCase()]
    : undefined;
  if (category === undefined)
    throw refuse(`records of auditd of the type ${shown(only)} are none of our events`);
  return category;
}

function asksForArguments(selection: Value): boolean {
  if (selection.kind === 'list') return selection.items.some(asksForArguments);
  return selection.kind === 'map' && [...selection.entries.keys()].some((key) => /^a\d+(?:\||$)/.test(key));
}

function recordTypes(selection: Value): readonly string[] {
  if (selection.kind === 'list') return selection.items.flatMap(recordTypes);
  if (selection.kind !== 'map') return [];
  const type = selection.entries.get('type');
  const values = type?.kind === 'list' ? type.items : type === undefined ? [] : [type];
  return values.flatMap((value) => (value.kind === 'scalar' ? [value.text] : []));
}
