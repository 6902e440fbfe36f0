/**
 * @module What code needs that holds rows: errors, types, schemas, transforms and values. Metadata, manifests and their
 * codecs are not read for it, which is two thirds of this package: a worker of a load starts sooner.
 */
export { errorFromData, errorToData, FloeError, toFloeError } from './error.ts'
export { stringifyJson } from './json.ts'
export type { NestedField, PrimitiveType, PrimitiveValue } from './type.ts'
export { isPrimitive } from './type.ts'
export type { Schema } from './schema.ts'
export { assignFreshIds, findFieldById, schemaToJson } from './schema.ts'
export { childFields } from './schema-index.ts'
export { leafFields } from './leaf-field.ts'
export { transformResultType } from './transform-type.ts'
export { applyTransform } from './apply-transform.ts'
export { murmur3Hash32 } from './murmur3.ts'
export { decodeTwosComplement, encodeTwosComplement } from './twos-complement.ts'
export { uuidFromBytes } from './uuid.ts'
export { partitionPath } from './partition-path.ts'
export { unsortedOrder } from './sort-order.ts'
export { compareValues } from './compare-values.ts'
export { truncateLowerBound, truncateUpperBound } from './bounds.ts'
export type { DataFile } from './data-file.ts'
