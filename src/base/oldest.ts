/** Makes room in a bounded table: removes the entry that was put in first, if there is one. */
export function dropOldest<Key>(map: Map<Key, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
