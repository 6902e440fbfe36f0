/** Decimals shown of a fraction. The rows keep the full value. */
const fractionDigitsMax = 4

/** One value of a result for a sentence. */
export function formatValue(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(fractionDigitsMax)))
    case 'bigint':
    case 'boolean':
    case 'string':
      return String(value)
    default:
      return formatObject(value)
  }
}

function formatObject(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (value instanceof Date) return value.toISOString()
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? String(member) : member,
  )
  return text ?? 'nothing'
}
