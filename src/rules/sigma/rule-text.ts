import { printableText } from '../../base/printable.ts';
import type { Priority } from '../load/items.ts';
import type { SigmaRule } from './rule-document.ts';
import { yamlText } from './words.ts';

/** What the text of a converted rule has beside that which the Sigma rule says of itself. */
export interface ConvertedParts {
  readonly name: string;
  /** Of the condition; all but the first begin with `and` or `or`, or belong to the one before. */
  readonly lines: readonly string[];
  readonly output: string;
  /** The file that it comes from. */
  readonly file: string;
}

/** Levels of Sigma, by our priorities. */
const PRIORITY_OF: Readonly<Record<string, Priority>> = {
  critical: 'Critical',
  high: 'Error',
  medium: 'Warning',
  low: 'Notice',
  informational: 'Informational',
};
/** Without a level. */
const DEFAULT_PRIORITY: Priority = 'Warning';
const MAX_COMMENT = 400;
const MAX_TAGS = 64;

/** A rule as it stands in a file of ours: what has no key there is a comment. */
export function ruleText(rule: SigmaRule, { name, lines, output, file }: ConvertedParts): string {
  const priority = Object.hasOwn(PRIORITY_OF, rule.level ?? '') ? PRIORITY_OF[rule.level ?? ''] : undefined;
  const tags = rule.tags.slice(0, MAX_TAGS).flatMap(tagOf);
  const isEnabled = rule.status !== 'deprecated' && rule.status !== 'unsupported';
  return [
    comment(`Converted from ${file}, line ${rule.line}`),
    ...rule.remarks.map(comment),
    `- rule: ${yamlText(name)}`,
    `  desc: ${yamlText(rule.description ?? rule.title)}`,
    '  condition: >-',
    ...lines.map((line) => `    ${line}`),
    `  output: ${yamlText(`${rule.title.replaceAll('%', '%%')} (${output})`)}`,
    `  priority: ${(priority ?? DEFAULT_PRIORITY).toUpperCase()}`,
    ...(tags.length > 0 ? [`  tags: [${[...new Set(tags)].join(', ')}]`] : []),
    ...(isEnabled ? [] : ['  enabled: false']),
    '',
  ].join('\n');
}

/** An empty list for a placeholder. */
export function listText(list: string, placeholder: string): string {
  return `${comment(`What rules call %${placeholder}%: to be filled`)}\n- list: ${list}\n  items: []\n`;
}

function comment(text: string): string {
  // YAML has no unassigned characters, not even there.
  return `# ${printableText(text, MAX_COMMENT).replace(/[\p{Cn}\p{Co}]/gu, '\ufffd')}`;
}

/** Tactics and techniques of ATT&CK as our rules name them; other tags as they are. */
function tagOf(tag: string): readonly string[] {
  if (!/^\w[\w.-]{0,79}$/.test(tag)) return [];
  const [, name] = /^attack\.(.+)$/i.exec(tag) ?? [];
  if (name === undefined) return [/^cve\.\d/i.test(tag) ? tag.toUpperCase().replace('.', '-') : tag];
  if (/^[a-z]\d+(?:\.\d+)?$/i.test(name)) return [name.toUpperCase()];
  return [`mitre_${name.toLowerCase().replaceAll('-', '_')}`];
}
