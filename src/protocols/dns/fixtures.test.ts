import { join } from 'node:path';
import { testFixtures } from '../testing.ts';
import { dns, dnsTcp } from './index.ts';

testFixtures(dns, join(import.meta.dirname, 'fixtures/dns'));
testFixtures(dnsTcp, join(import.meta.dirname, 'fixtures/dns-tcp'));
