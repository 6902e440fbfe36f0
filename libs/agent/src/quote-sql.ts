export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `namespace.table` as two quoted identifiers; dots before the last one belong to the namespace. */
export function quoteTable(name: string): string {
  const dot = name.lastIndexOf('.')
  if (dot === -1) return quoteIdentifier(name)
  return `${quoteIdentifier(name.slice(0, dot))}.${quoteIdentifier(name.slice(dot + 1))}`
}
