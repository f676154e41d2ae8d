import { globSync } from 'node:fs';
import { join } from 'node:path';
import { firstMissing } from '../system.ts';
import { SERVERS, WITH_REDIS, type Runtime } from './runtime.ts';

const PUMA = '/usr/bin/puma';
/** Where Debian puts gems that are not compiled. */
const GEMS = '/usr/share/rubygems-integration/*/gems';

export const RUBY_RUNTIMES: readonly Runtime[] = [
  {
    name: 'puma',
    title: 'Ruby Puma, 8 threads',
    expected: WITH_REDIS,
    missing() {
      for (const name of ['rack', 'redis'])
        if (globSync(`${GEMS}/${name}-*/lib/${name}.rb`).length === 0)
          return `Ruby's ${name}.rb is missing (Debian package ruby-${name})`;
      return firstMissing({ [PUMA]: 'puma', '/usr/lib/ruby/vendor_ruby/pg.rb': 'ruby-pg' });
    },
    prepare: ({ port }) => [
      {
        program: PUMA,
        args: [
          ...['--threads', '8:8', '--workers', '0', '--bind', `tcp://127.0.0.1:${port}?backlog=512`],
          ...['--environment', 'production', '--quiet', join(SERVERS, 'ruby-config.ru')],
        ],
      },
    ],
  },
];
