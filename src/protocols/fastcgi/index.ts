import type { Protocol } from '../contract.ts';
import { recognise } from './recognise.ts';
import { FastcgiConnection } from './stream.ts';

/** FastCGI 1.0: what PHP-FPM and other application servers speak with the web server before them. */
export const fastcgi: Protocol = {
  name: 'fastcgi',
  transport: 'stream',
  recognise,
  open: (sink) => new FastcgiConnection(sink),
};
