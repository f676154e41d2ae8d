import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A self-signed certificate for 127.0.0.1, good for a day. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Makes one with the openssl program, into two files of the directory. */
export function makeCertificate(directory: string): Certificate {
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const name = ['-days', '1', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...key, ...name, '-out', certificateFile], { stdio: 'ignore' });
  return { certificateFile, keyFile };
}
