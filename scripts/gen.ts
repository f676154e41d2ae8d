/**
 * Writes the generated files anew; with --check it only compares, lists the stale ones and exits with 1.
 * A generated file is never edited by hand: change its source and run `make gen`.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { withSection } from '../bench/attribution/document.ts';
import { parseResults } from '../bench/attribution/results-file.ts';
import { sectionOf } from '../bench/attribution/section.ts';
import { generateAbi } from './gen/abi.ts';
import { generateCliReference } from './gen/cli-reference.ts';
import { generateErrorReference } from './gen/error-reference.ts';
import { generateEventReference } from './gen/event-reference.ts';
import { generateRuleFieldReference } from './gen/rule-field-reference.ts';
import { generateRuleReference } from './gen/rule-reference.ts';
import { withTables } from './kernels/document.ts';
import { parseMeasurements } from './kernels/measurements.ts';

/** What one generator makes: path from the repository's root, and content. */
type GeneratedFiles = ReadonlyMap<string, string>;

const root = resolve(import.meta.dirname, '..');

/** Add a generator here. Each depends on nothing but the sources that it reads. */
const GENERATORS: readonly (() => GeneratedFiles)[] = [
  () => generateAbi(root),
  () => new Map([['docs/reference/cli.md', generateCliReference()]]),
  () => new Map([['docs/reference/errors.md', generateErrorReference()]]),
  () => new Map([['docs/reference/events.md', generateEventReference(root)]]),
  () => new Map([['docs/reference/rule-fields.md', generateRuleFieldReference()]]),
  () => new Map([['docs/reference/rules.md', generateRuleReference(root)]]),
  () => new Map([['docs/ATTRIBUTION.md', attributionDocument()]]),
  () => new Map([['docs/KERNELS.md', kernelDocument()]]),
];

const isCheck = process.argv.includes('--check');
const stale = GENERATORS.flatMap((generate) => [...generate()]).filter(
  ([path, content]) => currentContent(path) !== content,
);

if (isCheck && stale.length > 0) {
  console.error(`stale, run "make gen": ${stale.map(([path]) => path).join(', ')}`);
  process.exitCode = 1;
} else {
  for (const [path, content] of stale) {
    mkdirSync(dirname(resolve(root, path)), { recursive: true });
    writeFileSync(resolve(root, path), content);
  }
  const written = stale.map(([path]) => path).join(', ');
  console.log(written === '' ? 'generated files are fresh' : `generated ${written}`);
}

/** The document as it is, with the section that the bench's results give. */
function attributionDocument(): string {
  return withSection(
    readDocument('ATTRIBUTION.md'),
    sectionOf(parseResults(readDocument('bench-attribution.json'))),
  );
}

/** The document as it is, with the tables of what was last measured on each kernel. */
function kernelDocument(): string {
  return withTables(readDocument('KERNELS.md'), parseMeasurements(readDocument('kernels.json')));
}

function readDocument(name: string): string {
  return readFileSync(resolve(root, 'docs', name), 'utf8');
}

/** null where the file does not exist yet. */
function currentContent(path: string): string | null {
  try {
    return readFileSync(resolve(root, path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
