/**
 * The modules to load, in order, so that the wanted ones are in place.
 *
 * @param modulesDep what depmod writes: a line for each module, `path: paths of all that it needs`, the first of which is
 *   loaded last
 * @param wanted names without folder and suffix; what is built into the kernel has no line and is left out
 */
export function loadOrder(modulesDep: string, wanted: readonly string[]): string[] {
  const needs = new Map<string, readonly string[]>();
  const paths = new Map<string, string>();
  for (const line of modulesDep.split('\n')) {
    const [path = '', rest = ''] = line.split(':');
    if (path === '') continue;
    needs.set(path, rest.split(' ').filter(Boolean));
    paths.set(nameOf(path), path);
  }
  const order = new Set<string>();
  for (const name of wanted) {
    const path = paths.get(name);
    if (path === undefined) continue;
    for (const needed of (needs.get(path) ?? []).toReversed()) order.add(needed);
    order.add(path);
  }
  return [...order];
}

/** The kernel takes - and _ for the same. */
function nameOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.slice(0, file.indexOf('.ko')).replaceAll('-', '_');
}
