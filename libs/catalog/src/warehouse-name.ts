/** First segments of the paths below `/v1` that need no prefix: no warehouse has such a name. */
const resourceSegments: ReadonlySet<string> = new Set([
  'config',
  'namespaces',
  'oauth',
  'tables',
  'transactions',
  'views',
])

const nameForm = /^[A-Za-z0-9][\w.-]{0,63}$/

/** Whether a warehouse can have the name: one plain path segment that is no other resource. */
export function isWarehouseName(name: string): boolean {
  return nameForm.test(name) && !isResourceSegment(name)
}

/** Whether a segment below `/v1` says what is asked for, and not of which warehouse. */
export function isResourceSegment(segment: string): boolean {
  return resourceSegments.has(segment)
}
