import type { JsonObject } from '@floe/iceberg'
import {
  choice,
  flag,
  integer,
  list,
  long,
  object,
  oneOf,
  ref,
  text,
  texts,
  variants,
} from './json-schema.ts'

const primitives =
  'boolean int long float double date time timestamp timestamptz timestamp_ns timestamptz_ns string uuid binary variant unknown'

const structMembers = { type: { const: 'struct' }, fields: list(ref('StructField')) }

/** Iceberg's own shapes, as the requests of the catalog carry them: those that Floe's parsers read. */
export const tableSchemas: Readonly<Record<string, JsonObject>> = {
  Type: oneOf(
    choice(...primitives.split(' '), 'fixed[16]', 'decimal(9, 2)'),
    ref('StructType'),
    ref('ListType'),
    ref('MapType'),
  ),
  StructType: object(structMembers),
  ListType: object({
    type: { const: 'list' },
    'element-id': integer,
    element: ref('Type'),
    'element-required': flag,
  }),
  MapType: object({
    type: { const: 'map' },
    'key-id': integer,
    key: ref('Type'),
    'value-id': integer,
    value: ref('Type'),
    'value-required': flag,
  }),
  StructField: object({ id: integer, name: text, type: ref('Type'), required: flag }, { doc: text }),
  Schema: object(structMembers, { 'schema-id': integer, 'identifier-field-ids': list(integer) }),
  PartitionField: object(
    {
      'source-id': integer,
      name: text,
      transform: choice('identity', 'bucket[16]', 'truncate[4]', 'year', 'month', 'day', 'hour', 'void'),
    },
    { 'field-id': integer },
  ),
  PartitionSpec: object({ fields: list(ref('PartitionField')) }, { 'spec-id': integer }),
  SortField: object({
    'source-id': integer,
    transform: choice('identity', 'bucket[16]', 'day'),
    direction: choice('asc', 'desc'),
    'null-order': choice('nulls-first', 'nulls-last'),
  }),
  SortOrder: object({ 'order-id': integer, fields: list(ref('SortField')) }),
  Snapshot: object(
    { 'snapshot-id': long, 'timestamp-ms': long, 'manifest-list': text, summary: texts },
    { 'parent-snapshot-id': long, 'sequence-number': long, 'schema-id': integer },
  ),
  TableRequirement: variants('type', {
    'assert-create': {},
    'assert-table-uuid': { uuid: text },
    'assert-ref-snapshot-id': { ref: text, 'snapshot-id': { type: ['integer', 'null'] } },
    'assert-last-assigned-field-id': { 'last-assigned-field-id': integer },
    'assert-current-schema-id': { 'current-schema-id': integer },
    'assert-last-assigned-partition-id': { 'last-assigned-partition-id': integer },
    'assert-default-spec-id': { 'default-spec-id': integer },
    'assert-default-sort-order-id': { 'default-sort-order-id': integer },
  }),
  TableUpdate: variants('action', {
    'assign-uuid': { uuid: text },
    'upgrade-format-version': { 'format-version': { type: 'integer', enum: [1, 2, 3] } },
    'add-schema': { schema: ref('Schema') },
    'set-current-schema': { 'schema-id': integer },
    'add-spec': { spec: ref('PartitionSpec') },
    'set-default-spec': { 'spec-id': integer },
    'add-sort-order': { 'sort-order': ref('SortOrder') },
    'set-default-sort-order': { 'sort-order-id': integer },
    'add-snapshot': { snapshot: ref('Snapshot') },
    'set-snapshot-ref': { 'ref-name': text, type: choice('branch', 'tag'), 'snapshot-id': long },
    'remove-snapshots': { 'snapshot-ids': list(long) },
    'remove-snapshot-ref': { 'ref-name': text },
    'set-location': { location: text },
    'set-properties': { updates: texts },
    'remove-properties': { removals: list(text) },
    'set-statistics': { 'snapshot-id': long, statistics: ref('StatisticsFile') },
    'remove-statistics': { 'snapshot-id': long },
    'set-partition-statistics': { 'partition-statistics': ref('PartitionStatisticsFile') },
    'remove-partition-statistics': { 'snapshot-id': long },
    'remove-partition-specs': { 'spec-ids': list(integer) },
    'remove-schemas': { 'schema-ids': list(integer) },
    'add-encryption-key': { 'encryption-key': ref('EncryptedKey') },
    'remove-encryption-key': { 'key-id': text },
    'enable-row-lineage': {},
  }),
  StatisticsFile: object({
    'snapshot-id': long,
    'statistics-path': text,
    'file-size-in-bytes': long,
    'file-footer-size-in-bytes': long,
    'blob-metadata': list({ type: 'object' }),
  }),
  PartitionStatisticsFile: object({
    'snapshot-id': long,
    'statistics-path': text,
    'file-size-in-bytes': long,
  }),
  EncryptedKey: object({ 'key-id': text, 'encrypted-key-metadata': text }),
}
