import { GO_RUNTIMES } from './go.ts';
import { JAVA_RUNTIMES } from './java.ts';
import { NODE_RUNTIMES } from './node.ts';
import { PHP_RUNTIMES } from './php.ts';
import { PYTHON_RUNTIMES } from './python.ts';
import { RUBY_RUNTIMES } from './ruby.ts';
import type { Runtime } from './runtime.ts';

/** Everything that is measured, in the order of the report. */
export const RUNTIMES: readonly Runtime[] = [
  ...NODE_RUNTIMES,
  ...PYTHON_RUNTIMES,
  ...PHP_RUNTIMES,
  ...RUBY_RUNTIMES,
  ...JAVA_RUNTIMES,
  ...GO_RUNTIMES,
];
