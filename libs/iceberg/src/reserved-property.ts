/** Table properties that stand for other members of the metadata and are never stored (Java `RESERVED_PROPERTIES`). */
const reservedProperties: ReadonlySet<string> = new Set([
  'format-version',
  'uuid',
  'snapshot-count',
  'current-snapshot-id',
  'current-snapshot-summary',
  'current-snapshot-timestamp-ms',
  'current-schema',
  'default-partition-spec',
  'default-sort-order',
])

export function isReservedProperty(key: string): boolean {
  return reservedProperties.has(key)
}
