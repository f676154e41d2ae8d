/**
 * Fetches packages of any suite of Debian's archive and unpacks them without installing them; the machine's own apt
 * and packages stay as they are. Prints the folder of each, which stands for / in the package.
 *
 *   node scripts/debian-package.ts SUITE PACKAGE...     say: bullseye libssl1.1
 */

import { Suite } from './debian/suite.ts';

const [suiteName = '', ...packages] = process.argv.slice(2);
if (packages.length === 0) {
  console.error('usage: node scripts/debian-package.ts SUITE PACKAGE...');
  process.exit(2);
}
try {
  const suite = new Suite(suiteName);
  for (const name of packages) console.log(suite.unpack(name));
} catch (error) {
  console.error(`debian-package: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
