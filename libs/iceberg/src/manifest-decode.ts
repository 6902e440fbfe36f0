import { openAvroFile, type AvroFile } from './avro-container.ts'
import type { AvroCodecs } from './avro-codec.ts'
import { decodeAll } from './avro-record-codec.ts'
import type { TapType } from './avro-tap.ts'
import { FloeError } from './error.ts'
import { parseJson } from './json.ts'
import { manifestEntryAvro } from './manifest-entry-avro.ts'
import type { ManifestEntry, ManifestHeader } from './manifest.ts'
import { parsePartitionSpec } from './partition-spec.ts'
import { parseSchema, type Schema } from './schema.ts'

export type DecodeManifestOptions = {
  readonly codecs?: AvroCodecs
  /** Columns whose metrics are kept; the others are passed over, which is twice as fast. All when absent. */
  readonly metricColumns?: ReadonlySet<number>
}

export type DecodedManifest = { readonly header: ManifestHeader; readonly entries: readonly ManifestEntry[] }

/**
 * Reads a manifest file of any format version and writer, by field id. Entries are as stored: `inheritEntries` fills
 * in what they take from the manifest list.
 * @throws FloeError corrupt-data, or unsupported for a codec that is not known
 */
export function decodeManifest(bytes: Uint8Array, options: DecodeManifestOptions = {}): DecodedManifest {
  const file = openAvroFile(bytes, options.codecs)
  const { header, type } = findDecoder(file, options.metricColumns)
  const entries: ManifestEntry[] = []
  for (const block of file.blocks()) decodeAll(type, block.bytes, entries)
  return { header, entries }
}

type Decoder = { readonly header: ManifestHeader; readonly type: TapType<ManifestEntry> }

/** Kinds of manifests whose readers are kept: a table has few, and to make a reader takes as long as 100 entries. */
const decodersMax = 64
const decoders = new Map<string, Decoder>()

/** Header members that tell what a manifest looks like. */
const layoutMembers: readonly string[] = [
  'avro.schema',
  'schema',
  'schema-id',
  'partition-spec',
  'partition-spec-id',
  'format-version',
  'content',
]

function findDecoder(
  { metadata, readSchema }: AvroFile,
  metricColumns: ReadonlySet<number> | undefined,
): Decoder {
  const columns = metricColumns === undefined ? 'all' : [...metricColumns].sort((a, b) => a - b).join()
  const members = layoutMembers.map((member) => metadata[member] ?? '')
  const key = [columns, ...members].join('\u0000')
  const known = decoders.get(key)
  if (known !== undefined) return known
  const header = readHeader(metadata)
  const decoder = { header, type: manifestEntryAvro(readSchema(), { header, metricColumns }) }
  decoders.set(key, decoder)
  const [oldest] = decoders.keys()
  if (decoders.size > decodersMax && oldest !== undefined) decoders.delete(oldest)
  return decoder
}

function readHeader(metadata: Readonly<Record<string, string>>): ManifestHeader {
  const { schema, content } = metadata
  const spec = metadata['partition-spec']
  if (schema === undefined || spec === undefined)
    throw corrupt('its header has no schema or no partition-spec')
  try {
    const specId = Number(metadata['partition-spec-id'] ?? 0)
    return {
      schema: withHeaderId(parseSchema(parseJson(schema)), metadata['schema-id']),
      spec: { ...parsePartitionSpec(parseJson(spec), specId), specId },
      formatVersion: readVersion(metadata['format-version']),
      content: content?.toLowerCase() === 'deletes' ? 'deletes' : 'data',
    }
  } catch (error) {
    if (error instanceof FloeError && error.code === 'unsupported') throw error
    throw corrupt('its header cannot be read', error)
  }
}

/** The id inside the schema came later than the header member. */
function withHeaderId(schema: Schema, id: string | undefined): Schema {
  return schema.schemaId === 0 && id !== undefined && /^\d+$/.test(id)
    ? { ...schema, schemaId: Number(id) }
    : schema
}

function readVersion(text = '1'): 1 | 2 | 3 {
  const version = Number(text)
  if (version === 1 || version === 2 || version === 3) return version
  throw new FloeError('unsupported', `the manifest has format version ${text}; 1, 2 and 3 can be read`)
}

function corrupt(what: string, cause?: unknown): FloeError {
  return new FloeError('corrupt-data', `not a manifest: ${what}`, cause === undefined ? {} : { cause })
}
