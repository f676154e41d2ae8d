import { join } from 'node:path';
import { testFixtures } from '../testing.ts';
import { tls } from './index.ts';

testFixtures(tls, join(import.meta.dirname, 'fixtures'));
