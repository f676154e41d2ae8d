import type { Protocol } from '../contract.ts';
import { recognise } from './recognise.ts';
import { UwsgiConnection } from './stream.ts';

/** The uwsgi protocol: what uWSGI speaks with the web server before it. */
export const uwsgi: Protocol = {
  name: 'uwsgi',
  transport: 'stream',
  recognise,
  open: (sink) => new UwsgiConnection(sink),
};
