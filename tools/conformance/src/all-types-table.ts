/** A column of the table with every type: how PostgreSQL declares it, its values as SQL, and their canonical text. */
type TypedColumn = {
  readonly name: string
  readonly type: string
  readonly values: readonly string[]
  /** SQL that makes the canonical text of the column; values that have another text than `::text`. */
  readonly canonical?: (column: string) => string
  /** Structs, maps, and lists of lists: their canonical text is JSON, whose members are texts or null. */
  readonly isNested?: true
  /** PyIceberg 0.12 gives null lists of structs as empty ones (around apache/arrow#38809). */
  readonly isListOfStructs?: true
}

const floatText = (column: string): string =>
  `CASE WHEN ${column} = 'NaN' THEN 'NaN' ELSE encode(float8send(${column}::float8), 'hex') END`
const timestampText = (column: string): string => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`
const utcText = (column: string): string => timestampText(`(${column} AT TIME ZONE 'UTC')`)
const listText = (column: string): string => `to_jsonb(${column}::text[])::text`

const intervalParts = (column: string): string =>
  `CASE WHEN ${column} IS NOT NULL THEN jsonb_build_object('months', (extract(year from ${column}) * 12 + extract(month from ${column}))::int::text,
    'days', extract(day from ${column})::int::text, 'micros', ((extract(hour from ${column}) * 3600 + extract(minute from ${column}) * 60) * 1000000
      + extract(microseconds from ${column}))::int8::text)::text END`
// IS NULL is also true of a row of nulls.
const pairJson = (pair: string): string =>
  `CASE WHEN num_nulls(${pair}) = 0 THEN jsonb_build_object('a', (${pair}).a::text, 'b', (${pair}).b, 'c', (${pair}).c::text) END`
const pairsJson = (column: string): string =>
  `CASE WHEN ${column} IS NOT NULL THEN (SELECT COALESCE(jsonb_agg(${pairJson(`${column}[i]`)} ORDER BY i), '[]')
    FROM generate_subscripts(${column}, 1) i)::text END`
const hstorePairs = (column: string): string =>
  `CASE WHEN ${column} IS NOT NULL THEN (SELECT COALESCE(jsonb_agg(jsonb_build_array(key, value) ORDER BY key), '[]')
    FROM types.each(${column}))::text END`

/** Every type has nulls, its extremes, and what readers get wrong: empty, non-ASCII, negative, before 1970. */
export const typedColumns: readonly TypedColumn[] = [
  { name: 'c_bool', type: 'boolean', values: ['true', 'false'] },
  { name: 'c_int2', type: 'smallint', values: ['-32768', '0', '32767'] },
  { name: 'c_int4', type: 'integer', values: ['-2147483648', '-1', '2147483647'] },
  {
    name: 'c_int8',
    type: 'bigint',
    values: ['-9223372036854775808', '9007199254740993', '9223372036854775807'],
  },
  { name: 'c_oid', type: 'oid', values: ['0', '4294967295'] },
  {
    name: 'c_float4',
    type: 'real',
    values: [`'NaN'`, `'-0'`, '1.5', `'-Infinity'`, '3.4e38'],
    canonical: floatText,
  },
  {
    name: 'c_float8',
    type: 'double precision',
    values: [`'NaN'`, `'-0'`, '5e-324', `'Infinity'`, '-1.7e308'],
    canonical: floatText,
  },
  { name: 'c_dec4', type: 'numeric(4,1)', values: ['-999.9', '0', '0.1'] },
  { name: 'c_dec9', type: 'numeric(9,2)', values: ['-9999999.99', '-0.01', '1234567.89'] },
  { name: 'c_dec18', type: 'numeric(18,6)', values: ['-999999999999.999999', '0.000001', '-128'] },
  {
    name: 'c_dec38',
    type: 'numeric(38,10)',
    values: ['-9999999999999999999999999999.9999999999', '0.0000000001', '-1'],
  },
  {
    name: 'c_numeric',
    type: 'numeric',
    values: ['-1234567890123456789012345678901234567890.5', '0', '1e-20'],
  },
  {
    name: 'c_money',
    type: 'money',
    values: [`'-92233720368547758.08'`, `'12.34'`],
    canonical: (c) => `(${c}::numeric(19,2))::text`,
  },
  {
    name: 'c_text',
    type: 'text',
    values: [`''`, `'ünïcödé 日本語 🎉'`, `'a''b"c\\'`, `E'line\\nbreak'`, `repeat('x', 100000)`],
  },
  { name: 'c_varchar', type: 'varchar(20)', values: [`''`, `'żółć'`] },
  { name: 'c_char', type: 'char(5)', values: [`'ab'`, `''`], canonical: (c) => `rpad(${c}::text, 5)` },
  { name: 'c_name', type: 'name', values: [`'pg_name'`] },
  { name: 'c_internal_char', type: '"char"', values: [`'x'`] },
  {
    name: 'c_bytea',
    type: 'bytea',
    values: [`'\\x'`, `'\\x00ff10'`],
    canonical: (c) => `encode(${c}, 'hex')`,
  },
  {
    name: 'c_uuid',
    type: 'uuid',
    values: [`'00000000-0000-0000-0000-000000000000'`, `'f0e1d2c3-b4a5-4678-9abc-def012345678'`],
  },
  { name: 'c_date', type: 'date', values: [`'0001-01-01'`, `'1969-12-31'`, `'9999-12-31'`] },
  {
    name: 'c_time',
    type: 'time',
    values: [`'00:00:00'`, `'23:59:59.999999'`],
    canonical: (c) => `to_char('2000-01-01'::date + ${c}, 'HH24:MI:SS.US')`,
  },
  { name: 'c_timetz', type: 'timetz', values: [`'12:34:56.789+02'`] },
  {
    name: 'c_timestamp',
    type: 'timestamp',
    values: [`'0001-01-01 00:00:00'`, `'1969-12-31 23:59:59.999999'`, `'9999-12-31 23:59:59.999999'`],
    canonical: timestampText,
  },
  {
    name: 'c_timestamptz',
    type: 'timestamptz',
    values: [`'1901-12-13 20:45:52+00'`, `'2024-02-29 12:00:00.000001+05:30'`],
    canonical: utcText,
  },
  {
    name: 'c_interval',
    type: 'interval',
    values: [`'1 year 2 mons -3 days 04:05:06.7'`, `'0'`],
    canonical: intervalParts,
    isNested: true,
  },
  { name: 'c_json', type: 'json', values: [`'{"a": [1, 2.50, null]}'`] },
  { name: 'c_jsonb', type: 'jsonb', values: [`'{"b": 12345678901234567890, "a": "é"}'`] },
  { name: 'c_xml', type: 'xml', values: [`'<a>b</a>'`] },
  { name: 'c_enum', type: 'types.mood', values: [`'sad'`, `'très content'`] },
  { name: 'c_domain', type: 'types.positive', values: ['1', '2147483647'] },
  {
    name: 'c_inet',
    type: 'inet',
    values: [`'192.168.0.1/24'`, `'::1'`],
    canonical: (c) => `textin(inet_out(${c}))`,
  },
  { name: 'c_cidr', type: 'cidr', values: [`'10.0.0.0/8'`] },
  { name: 'c_macaddr', type: 'macaddr', values: [`'08:00:2b:01:02:03'`] },
  { name: 'c_macaddr8', type: 'macaddr8', values: [`'08:00:2b:01:02:03:04:05'`] },
  { name: 'c_bit', type: 'bit(3)', values: [`B'101'`] },
  { name: 'c_varbit', type: 'varbit', values: [`B'10111'`, `B''`] },
  { name: 'c_point', type: 'point', values: [`'(1.5,-2)'`] },
  { name: 'c_tsvector', type: 'tsvector', values: [`'a fat cat'::tsvector`] },
  { name: 'c_int4range', type: 'int4range', values: [`'[1,5)'`, `'empty'`] },
  { name: 'c_pg_lsn', type: 'pg_lsn', values: [`'16/B374D848'`] },
  { name: 'c_int_array', type: 'integer[]', values: [`'{}'`, `'{1,NULL,-3}'`], canonical: listText },
  { name: 'c_text_array', type: 'text[]', values: [`'{}'`, `'{"",NULL,"ü,\\"x"}'`], canonical: listText },
  {
    name: 'c_uuid_array',
    type: 'uuid[]',
    values: [`'{f0e1d2c3-b4a5-4678-9abc-def012345678}'`],
    canonical: listText,
  },
  {
    name: 'c_numeric_array',
    type: 'numeric(6,2)[]',
    values: [`'{-1.50,NULL,9999.99}'`],
    canonical: listText,
  },
  {
    name: 'c_pair',
    type: 'types.pair',
    values: [`ROW(1, 'é', 2.50)`, `ROW(NULL, NULL, NULL)`, `ROW(3, '', NULL)`],
    canonical: (column) => `(${pairJson(column)})::text`,
    isNested: true,
  },
  {
    name: 'c_pair_array',
    type: 'types.pair[]',
    values: [`'{}'`, `ARRAY[ROW(1, 'x', -0.01)::types.pair, NULL, ROW(NULL, NULL, NULL)::types.pair]`],
    canonical: pairsJson,
    isNested: true,
    isListOfStructs: true,
  },
  {
    name: 'c_matrix',
    type: 'integer[][]',
    values: [`'{}'`, `'{{1,2},{NULL,-4},{5,6}}'`],
    canonical: listText,
    isNested: true,
  },
  {
    name: 'c_hstore',
    type: 'types.hstore',
    values: [`''`, `'a=>1, b=>NULL, c=>""'`],
    canonical: hstorePairs,
    isNested: true,
  },
  { name: 'c_enum_array', type: 'types.mood[]', values: [`'{sad,NULL}'`], canonical: listText },
]

/** SQL that makes and fills `types.every`: in each column values and nulls take turns, so that patterns differ. */
export function everyTypeSql(rows: number): string {
  const columns = typedColumns.map(({ name, type }) => `${name} ${type}`).join(', ')
  const values = Array.from(
    { length: rows },
    (_, row) =>
      `(${[String(row), ...typedColumns.map((column, index) => valueAt(column, row, index))].join(', ')})`,
  )
  return `DROP SCHEMA IF EXISTS types CASCADE; CREATE SCHEMA types;
    CREATE TYPE types.mood AS ENUM ('sad', 'très content');
    CREATE EXTENSION IF NOT EXISTS hstore SCHEMA types;
    CREATE TYPE types.pair AS (a integer, b text, c numeric(6,2));
    CREATE DOMAIN types.positive AS integer CHECK (VALUE > 0);
    CREATE TABLE types.every (id integer PRIMARY KEY, ${columns});
    INSERT INTO types.every VALUES ${values.join(',\n')}`
}

function valueAt({ values, type }: TypedColumn, row: number, index: number): string {
  const turn = (row + index) % (values.length + 1)
  return turn === values.length ? 'NULL' : `CAST(${values[turn] ?? 'NULL'} AS ${type})`
}

/** The canonical text of every value, by PostgreSQL itself. */
export function canonicalSql(): string {
  const columns = typedColumns.map(
    ({ name, canonical = (column) => `${column}::text` }) => `${canonical(name)} AS ${name}`,
  )
  return `SELECT id::text AS id, ${columns.join(', ')} FROM types.every ORDER BY types.every.id`
}
