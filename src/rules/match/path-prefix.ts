import type { ByteString } from '../../base/bytes.ts';
import { wordTest, type TextTest } from './automaton.ts';
import { compileGlob, matchesGlob, type Glob } from './glob.ts';

/**
 * Whether a path is one of some paths or lies under one (`pmatch`). Components are compared, so that /var/run is not in
 * /var/r; empty ones do not count. A component with `*`, `?` or `[` is a pattern for one component.
 */
export function pathPrefixTest(paths: readonly ByteString[]): TextTest {
  const plain: ByteString[] = [];
  const patterns: (readonly Glob[])[] = [];
  for (const path of paths) {
    const components = split(path);
    if (components.length === 0) return () => true;
    if (/[?*[]/.test(path)) patterns.push(components.map((component) => compileGlob(component)));
    else plain.push(asFolder(components));
  }
  const plainTest = plain.length > 0 ? wordTest(plain, 'path') : () => false;
  return (value) => {
    const path = cleanPath(value);
    return plainTest(path) || (patterns.length > 0 && matchesPattern(path, patterns));
  };
}

/** A path without patterns as the beginning of all that lies under it; null for one that stands for everything, or a pattern. */
export function pathAsPrefix(path: ByteString): ByteString | null {
  const components = split(path);
  return components.length === 0 || /[?*[]/.test(path) ? null : asFolder(components);
}

function asFolder(components: readonly ByteString[]): ByteString {
  return `/${components.join('/')}/`;
}

/** One slash between components, and none at the end. */
export function cleanPath(path: ByteString): ByteString {
  return isClean(path) ? path : `/${split(path).join('/')}`;
}

function matchesPattern(path: ByteString, patterns: readonly (readonly Glob[])[]): boolean {
  const components = split(path);
  return patterns.some((pattern) =>
    pattern.every((glob, index) => index < components.length && matchesGlob(glob, components[index] ?? '')),
  );
}

function split(path: ByteString): ByteString[] {
  return path.split('/').filter((component) => component !== '');
}

const SLASH = 47;

function isClean(path: ByteString): boolean {
  return path.charCodeAt(0) === SLASH && path.charCodeAt(path.length - 1) !== SLASH && !path.includes('//');
}
