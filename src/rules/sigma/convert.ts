import { loadRules } from '../load/load-rules.ts';
import { RuleSource } from '../text.ts';
import { readCondition } from './condition.ts';
import type { Category } from './fields.ts';
import type { Note } from './item.ts';
import { categoryOf } from './log-source.ts';
import { SigmaError, type SigmaNote, type SigmaProblem } from './problem.ts';
import { readRule, type SigmaRule } from './rule-document.ts';
import { listText, ruleText } from './rule-text.ts';
import { ConvertedSelections } from './selections.ts';
import { check, conditionLines, join } from './tree.ts';
import { readDocuments, type Value } from './yaml-value.ts';

/** What became of one rule of a file. */
export interface ImportedRule {
  readonly file: string;
  /** Where it begins, from 1. */
  readonly line: number;
  readonly title: string | null;
  readonly id: string | null;
  /** The name that the converted rule has, and its text; null where it could not be converted. */
  readonly rule: string | null;
  readonly yaml: string | null;
  /** Why it was not converted: all reasons that were found. */
  readonly problems: readonly SigmaProblem[];
  /** What is to be known of a rule that was converted. */
  readonly notes: readonly SigmaNote[];
}

export interface SigmaImport {
  readonly rules: readonly ImportedRule[];
  /** A rule file with all that were converted; empty where there are none. */
  readonly yaml: string;
}

const MAX_DOCUMENTS = 10_000;

/** Converts the Sigma rules of some files. Never throws for what stands in them. */
export function importSigma(files: readonly RuleSource[]): SigmaImport {
  const importer = new Importer();
  const rules = files.flatMap((file) => importer.file(file));
  const texts = rules.flatMap(({ yaml }) => (yaml === null ? [] : [yaml]));
  const lists = [...importer.lists].map(([list, placeholder]) => listText(list, placeholder));
  return { rules, yaml: [...lists, ...texts].join('\n') };
}

class Importer {
  /** Lists that stand for placeholders. */
  readonly lists = new Map<string, string>();
  readonly #names = new Set<string>();

  file(source: RuleSource): readonly ImportedRule[] {
    const documents = readDocuments(source);
    const read = documents.slice(0, MAX_DOCUMENTS).map((document) => this.#document(document, source));
    if (documents.length <= MAX_DOCUMENTS) return read;
    const message = `the file has more than ${MAX_DOCUMENTS} documents`;
    return [...read, refused(source, 1, null, [{ code: 'too-large', message, line: 1 }])];
  }

  #document(document: Value | SigmaError, source: RuleSource): ImportedRule {
    if (document instanceof SigmaError)
      return refused(source, document.problem.line, null, [document.problem]);
    let rule: SigmaRule | null = null;
    try {
      rule = readRule(document);
      return this.#rule(rule, source);
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error;
      return refused(source, document.line, rule ?? headOf(document), [error.problem]);
    }
  }

  #rule(rule: SigmaRule, source: RuleSource): ImportedRule {
    const category = categoryOf(rule);
    const notes: SigmaNote[] = [];
    const lists = new Map<string, string>();
    const note: Note = (code, message, line) => {
      if (!notes.some((one) => one.message === message)) notes.push({ code, message, line });
    };
    const selections = new ConvertedSelections(rule.selections, {
      category,
      note,
      listOf(placeholder) {
        const list = `sigma_${placeholder.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`;
        lists.set(list, placeholder);
        return list;
      },
    });
    const tree = join(
      'or',
      rule.conditions.map(({ text, line }) => located(line, () => readCondition(text, selections, line))),
    );
    if (selections.problems.length > 0) return refused(source, rule.line, rule, unique(selections.problems));
    const line = rule.conditions[0]?.line ?? rule.line;
    const lines = conditionLines(join('and', [...category.base.map(check), tree]), line);
    this.#noteRest(rule, category, note);
    const name = this.#nameOf(rule, note);
    const yaml = ruleText(rule, { name, lines, output: category.output, file: source.name });
    const problems = this.#check(yaml, lists, line, note);
    if (problems.length > 0) return refused(source, rule.line, rule, problems);
    this.#names.add(name);
    for (const [list, placeholder] of lists) this.lists.set(list, placeholder);
    const { title, id } = rule;
    return { file: source.name, line: rule.line, title, id, rule: name, yaml, problems: [], notes };
  }

  #noteRest(rule: SigmaRule, category: Category, note: Note) {
    if (category.note !== undefined) note('approximation', category.note, rule.sourceLine);
    if (rule.timeframeLine !== null)
      note('ignored', 'its timeframe has no meaning without an aggregation', rule.timeframeLine);
    if (rule.status === 'deprecated' || rule.status === 'unsupported')
      note('disabled', `its status is ${rule.status}: it is converted, and not enabled`, rule.line);
  }

  /** A second rule of the same name would take the place of the first. */
  #nameOf(rule: SigmaRule, note: Note): string {
    let name = rule.title;
    for (let count = 2; this.#names.has(name); count++) name = `${rule.title} (${count})`;
    if (name !== rule.title)
      note('renamed', `another rule has the same title: it is named '${name}'`, rule.line);
    return name;
  }

  /** What our own loader says of it: what it refuses is not converted. */
  #check(
    yaml: string,
    lists: ReadonlyMap<string, string>,
    line: number,
    note: Note,
  ): readonly SigmaProblem[] {
    const text = [...[...lists].map(([list, placeholder]) => listText(list, placeholder)), yaml].join('\n');
    const loaded = loadRules([new RuleSource('converted rule', text)], { isStrict: false });
    const problems: SigmaProblem[] = [];
    for (const { errors, warnings } of loaded.files) {
      for (const { message } of errors) problems.push({ code: 'refused', message, line });
      for (const { code, message } of warnings) {
        if (code === 'event-types' || code === 'never-fires' || code === 'unanswered-event')
          problems.push({ code: 'refused', message, line });
        else note('warning', message, line);
      }
    }
    return problems;
  }
}

/** A selection that is missing is named by the condition that names it. */
function located<Result>(line: number, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof SigmaError) throw new SigmaError(error.problem.code, error.problem.message, line);
    throw error;
  }
}

function unique(problems: readonly SigmaProblem[]): readonly SigmaProblem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** Title and id of what could not be read as a rule. */
function headOf(document: Value): { title: string | null; id: string | null } {
  const text = (key: string) => {
    const value = document.kind === 'map' ? document.entries.get(key) : undefined;
    return value?.kind === 'scalar' && value.text !== '' ? value.text : null;
  };
  return { title: text('title') ?? text('name'), id: text('id') };
}

function refused(
  { name }: RuleSource,
  line: number,
  head: { readonly title: string | null; readonly id: string | null } | null,
  problems: readonly SigmaProblem[],
): ImportedRule {
  const { title = null, id = null } = head ?? {};
  return { file: name, line, title, id, rule: null, yaml: null, problems, notes: [] };
}
