import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstMissing } from '../system.ts';
import { CACHE, SERVERS, WITHOUT_REDIS, type Command, type Runtime } from './runtime.ts';

const run = promisify(execFile);
const JAVA = '/usr/bin/java';
const COMPILER = '/usr/bin/javac';
const DRIVER = '/usr/share/java/postgresql.jar';
const TOMCAT = '/usr/share/java/tomcat10-embed-core.jar';
const ANNOTATIONS = '/usr/share/java/tomcat10-annotations-api.jar';
/** Without it the JDK's server sends head and body as two segments and waits for the delayed acknowledgement. */
const NO_DELAY = '-Dsun.net.httpserver.nodelay=true';
const SOURCES = join(SERVERS, 'java');

/** Compiled each time: it takes a second, and nothing old can be measured by accident. */
async function compile(mainClass: string, libraries: readonly string[]): Promise<readonly Command[]> {
  const classes = join(CACHE, 'java', mainClass);
  await mkdir(classes, { recursive: true });
  const files = ['Work', mainClass].map((name) => join(SOURCES, `${name}.java`));
  await run(COMPILER, ['-d', classes, '-cp', libraries.join(':'), ...files]);
  return [
    { program: JAVA, args: ['-Xmx512m', NO_DELAY, '-cp', [classes, ...libraries].join(':'), mainClass] },
  ];
}

function java(
  name: string,
  title: string,
  mainClass: string,
  libraries: Readonly<Record<string, string>>,
): Runtime {
  return {
    name,
    title,
    expected: WITHOUT_REDIS,
    missing: () =>
      firstMissing({ [JAVA]: 'default-jdk-headless', [COMPILER]: 'default-jdk-headless', ...libraries }),
    prepare: () => compile(mainClass, Object.keys(libraries)),
  };
}

export const JAVA_RUNTIMES: readonly Runtime[] = [
  java('java-httpserver', 'Java HttpServer of the JDK, a pool of 16 threads', 'JdkServer', {
    [DRIVER]: 'libpostgresql-jdbc-java',
  }),
  java('java-executor', 'Java HttpServer, 4 threads read and a pool of 16 answers', 'ExecutorServer', {
    [DRIVER]: 'libpostgresql-jdbc-java',
  }),
  java('tomcat', 'Tomcat, 16 threads', 'TomcatServer', {
    [DRIVER]: 'libpostgresql-jdbc-java',
    [TOMCAT]: 'libtomcat10-embed-java',
    [ANNOTATIONS]: 'libtomcat10-java',
  }),
];
