import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRules } from '../../src/rules/load/load-rules.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { RuleSource } from '../../src/rules/text.ts';
import { generatedNote, markdownTable } from './markdown.ts';

/** docs/reference/rules.md. @param root of the repository */
export function generateRuleReference(root: string): string {
  const paths = globSync('rules/*.yaml', { cwd: root }).toSorted();
  const sources = paths.map((path) => new RuleSource(path, readFileSync(join(root, path), 'utf8')));
  const { rules, files } = loadRules(sources, { isStrict: false });
  const [error] = files.flatMap(({ errors }) => errors);
  if (error !== undefined) throw new Error(`${error.file}:${error.line}: ${error.message}`);
  const categories = Map.groupBy(rules, ({ tags }) => tags[0] ?? '');
  const sections = [...categories].toSorted(([a], [b]) => a.localeCompare(b));
  return (
    [
      generatedNote('rules/*.yaml'),
      '# Rules that come with Throughline',
      `${rules.length} rules. What they mean in full is in the files; how to change them is in [RULES.md](../RULES.md).`,
      ...sections.flatMap(([category, own]) => [`## ${category}`, ruleTable(own)]),
    ].join('\n\n') + '\n'
  );
}

function ruleTable(rules: readonly Rule[]): string {
  return markdownTable(
    ['rule', 'priority', 'ATT&CK', 'what it sees', 'what to do'],
    rules.map(({ name, priority, tags, description }) => {
      const [sees = '', todo = ''] = description.trim().split(/\s*What to do: /);
      return [name, priority, techniquesOf(tags), sees, todo];
    }),
  );
}

function techniquesOf(tags: readonly string[]): string {
  return tags.filter((tag) => /^TA?\d/.test(tag)).join(', ');
}
