import { join } from 'node:path';
import { OPERATIONS } from './listing.ts';

/** All rules that come with it, each for itself, and the marks. */
export const RULE_OPTIONS = [
  '--default-rules',
  ...['--rules', join(OPERATIONS, 'marks.yaml')],
  ...['--rule-matching', 'all', '--alert-limit', 'none'],
];
