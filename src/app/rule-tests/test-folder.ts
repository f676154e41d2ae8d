import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ThroughlineError } from '../../base/errors.ts';
import { readRuleText } from '../../cli/rules/regular-file.ts';
import type { RuleTestReport } from '../../rules/test-report.ts';
import { RuleSource } from '../../rules/text.ts';
import { runRuleTests } from './run-tests.ts';

/** Folder of the tests, beside the rules. */
const TESTS = 'tests';

/**
 * Runs the tests of a folder of rules, or of one file of it. Throws TL4001 for what cannot be read.
 *
 * @param path a folder, whose rules are the files in it and whose tests those in its folder "tests"; or a file of rules in
 * such a folder: what its rules share with the others is loaded, and its own rules alone are reported
 */
export function testRuleFolder(path: string): RuleTestReport {
  const isFolder = reading(path, () => statSync(path).isDirectory());
  const folder = isFolder ? path : dirname(path);
  const rules = sourcesIn(folder);
  const tests = sourcesIn(join(folder, TESTS)).filter(
    ({ name }) => isFolder || basename(name) === basename(path),
  );
  return runRuleTests(rules, tests, (file) => isFolder || basename(file) === basename(path));
}

function sourcesIn(folder: string): RuleSource[] {
  const names = reading(folder, () => readdirSync(folder)).filter((name) => /\.ya?ml$/.test(name));
  return names.toSorted().map((name) => {
    const path = join(folder, name);
    return new RuleSource(path, readRuleText(path));
  });
}

function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ThroughlineError('TL4001', `${path} (${reason})`, { cause: error });
  }
}
