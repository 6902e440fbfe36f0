import type { Type } from '@floe/iceberg'

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `['a', 'b']` as a list literal. */
export function textList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`
}

/** The DuckDB type that holds an Iceberg type, as SQL. Nested names are the schema's. */
export function duckdbType(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteIdentifier(field.name)} ${duckdbType(field.type)}`).join(', ')})`
    case 'list':
      return `${duckdbType(type.element)}[]`
    case 'map':
      return `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'fixed':
      return 'BLOB'
    // Well-known text: as a type of its own DuckDB reads only files that annotate it.
    case 'geometry':
    case 'geography':
      return 'VARCHAR'
    default:
      return simpleTypes[type.kind]
  }
}

const simpleTypes = {
  // Spec v3: a column of type unknown holds nulls only, and stands in no file.
  unknown: 'INTEGER',
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ns: 'TIMESTAMP_NS',
  // DuckDB has no zoned nanoseconds: the instant is kept, in UTC.
  timestamptz_ns: 'TIMESTAMP_NS',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
  variant: 'VARIANT',
} as const
