export type { JsonObject, JsonValue } from './json.ts'
export { jsonDepthMax, jsonEqual, parseJson, stringifyJson } from './json.ts'
export type { ErrorCode, ErrorData, FloeErrorOptions } from './error.ts'
export { errorFromData, errorReactions, errorToData, FloeError, toFloeError } from './error.ts'

export type {
  ListType,
  MapType,
  NestedField,
  NestedType,
  PrimitiveType,
  PrimitiveValue,
  SimpleKind,
  StructType,
  Type,
} from './type.ts'
export {
  decimalPrecisionMax,
  isPrimitive,
  minimumFormatVersion,
  nestedFieldToJson,
  parseNestedField,
  parseType,
  typesEqual,
  typeToJson,
  typeToString,
} from './type.ts'
export type { FreshSchema, Schema } from './schema.ts'
export {
  assignFreshIds,
  findFieldById,
  findFieldByName,
  findFieldName,
  highestFieldId,
  parseSchema,
  schemasEqual,
  schemaToJson,
} from './schema.ts'
export { childFields } from './schema-index.ts'
export type { LeafField } from './leaf-field.ts'
export { leafFields } from './leaf-field.ts'
export type { Transform } from './transform.ts'
export { parseTransform, transformsEqual, transformToString } from './transform.ts'
export { canTransform, transformResultType } from './transform-type.ts'
export { applyTransform, bucketOf, firstCodePoints, hashValue } from './apply-transform.ts'
export { hashLong, murmur3Hash32 } from './murmur3.ts'
export { decodeTwosComplement, encodeTwosComplement } from './twos-complement.ts'
export { uuidFromBytes, uuidToBytes } from './uuid.ts'
export { formatDecimal } from './decimal.ts'
export type { Partition, PartitionField, PartitionSpec } from './partition-spec.ts'
export {
  firstPartitionFieldId,
  parsePartitionSpec,
  partitionFieldType,
  partitionSpecsCompatible,
  partitionSpecToJson,
  partitionType,
  unpartitionedSpec,
} from './partition-spec.ts'
export { parsePartitionExpression } from './partition-expression.ts'
export { parseSortExpression, sortOrdersEqual } from './sort-expression.ts'
export { partitionPath, transformToHuman } from './partition-path.ts'
export type { SortField, SortOrder } from './sort-order.ts'
export { parseSortOrder, sortOrderToJson, unsortedOrder } from './sort-order.ts'
export { decodeSingleValue, encodeSingleValue } from './single-value.ts'
export { singleValueFromJson, singleValueToJson } from './single-value-json.ts'
export { compareBytes, compareStrings, compareValues } from './compare-values.ts'
export { boundLength, truncateLowerBound, truncateUpperBound } from './bounds.ts'
export type {
  ColumnName,
  Expression,
  LiteralOperator,
  Predicate,
  Reference,
  SetOperator,
  UnaryOperator,
} from './expression.ts'
export {
  alwaysFalse,
  alwaysTrue,
  and,
  compare,
  equal,
  isIn,
  isNan,
  isNull,
  not,
  notIn,
  notNull,
  or,
} from './expression.ts'
export type { BindOptions } from './bind-expression.ts'
export { bindExpression } from './bind-expression.ts'
export { rewriteNot } from './rewrite-not.ts'
export { conjuncts, mapPredicates } from './walk-expression.ts'
export type { RowLookup } from './evaluate-expression.ts'
export { evaluateExpression } from './evaluate-expression.ts'
export { inclusiveProjection, strictProjection } from './projection.ts'
export { residualFor } from './residual.ts'
export type { ExpressionJsonOptions } from './expression-json.ts'
export { expressionToJson, parseExpression } from './expression-json.ts'
export type { ScanFilter } from './scan-filter.ts'
export { parseScanFilter } from './scan-filter.ts'
export { expressionToString } from './expression-string.ts'
export { explainFileMismatch, mightMatchFile, mustMatchFile } from './metrics-evaluator.ts'
export {
  explainManifestMismatch,
  explainPartitionMismatch,
  mightMatchManifest,
  mightMatchPartition,
} from './manifest-evaluator.ts'
export type { MappedField, NameMapping } from './name-mapping.ts'
export {
  createNameMapping,
  nameMappingProperty,
  parseNameMapping,
  stringifyNameMapping,
} from './name-mapping.ts'
export { canPromote } from './type-promotion.ts'
export type {
  AddColumnOptions,
  AddedColumn,
  DropOptions,
  NewColumn,
  WidenOptions,
} from './schema-evolution.ts'
export { addColumn, dropColumn, makeOptional, renameColumn, widenColumn } from './schema-evolution.ts'

export type { DataFile } from './data-file.ts'
export type { ContentFileJsonOptions } from './content-file-json.ts'
export { contentFileToJson } from './content-file-json.ts'
export type { FieldSummary, ManifestFile } from './manifest-list.ts'
export type { ManifestEntry, ManifestHeader } from './manifest.ts'
export type { Snapshot, SnapshotOperation, SnapshotRef } from './snapshot.ts'
export type { TableMetadata } from './table-metadata.ts'
export type { TableUpdate } from './table-update.ts'
export type { TableRequirement } from './table-requirement.ts'
export { mainBranch, parseSnapshot, snapshotToJson } from './snapshot.ts'
export {
  currentSchema,
  currentSnapshot,
  defaultFormatVersion,
  defaultSortOrder,
  defaultSpec,
  findRef,
  snapshotAsOf,
  snapshotById,
  snapshotByRef,
} from './table-metadata.ts'
export type { FormatVersion } from './table-metadata.ts'
export { parseTableMetadata, tableMetadataToJson } from './table-metadata-json.ts'
export { serializeTableMetadata } from './table-metadata-text.ts'
export type { NewTable } from './new-table-metadata.ts'
export { newTableMetadata } from './new-table-metadata.ts'
export { parseTableUpdate, tableUpdateToJson, unassignedPartitionFieldId } from './table-update.ts'
export { checkRequirement, parseTableRequirement, tableRequirementToJson } from './table-requirement.ts'
export type { ApplyOptions } from './apply-update.ts'
export { applyTableUpdates, clockSkewMaxMs } from './apply-update.ts'
export type { AvroCodec, AvroCodecs } from './avro-codec.ts'
export type { AvroWriteOptions } from './avro-container.ts'
export type { DecodedManifest, DecodeManifestOptions } from './manifest-decode.ts'
export { decodeManifest } from './manifest-decode.ts'
export { encodeManifest } from './manifest-encode.ts'
export type { ManifestListHeader } from './manifest-list-codec.ts'
export { decodeManifestList, encodeManifestList } from './manifest-list-codec.ts'
export type { ManifestCommit } from './manifest-summary.ts'
export { manifestFileFor } from './manifest-summary.ts'
export type { AssignedRowIds } from './manifest-inherit.ts'
export { assignFirstRowIds, inheritEntries, inheritEntry } from './manifest-inherit.ts'
export type { SummaryInput } from './snapshot-summary.ts'
export { snapshotSummary } from './snapshot-summary.ts'
export {
  decodeMetadataFile,
  encodeMetadataFile,
  metadataDirectory,
  metadataFileName,
  metadataFileVersion,
  nextMetadataFileName,
} from './metadata-file.ts'
export type { ViewMetadata, ViewRepresentation, ViewVersion } from './view-metadata.ts'
export { currentViewVersion } from './view-metadata.ts'
export {
  parseViewMetadata,
  parseViewVersion,
  serializeViewMetadata,
  viewMetadataToJson,
  viewVersionToJson,
} from './view-metadata-json.ts'
export type { ViewRequirement, ViewUpdate } from './view-update.ts'
export {
  checkViewRequirement,
  parseViewRequirement,
  parseViewUpdate,
  viewRequirementToJson,
  viewUpdateToJson,
} from './view-update.ts'
export type { NewView } from './apply-view-update.ts'
export { applyViewUpdates, newViewMetadata } from './apply-view-update.ts'
