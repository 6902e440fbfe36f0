import { deflateSync, inflateSync } from 'fflate'
import { FloeError } from './error.ts'

/** How the blocks of an Avro file are compressed. `snappy` blocks end with the CRC that Avro adds to them. */
export type AvroCodec = {
  readonly compress: (bytes: Uint8Array) => Uint8Array
  readonly decompress: (bytes: Uint8Array) => Uint8Array
}

/** Codecs by Avro's name: `null`, `deflate`, `zstandard`, `snappy`. */
export type AvroCodecs = Readonly<Record<string, AvroCodec>>

/** Java's "gzip" is Avro's `deflate` at level 9; 6 writes manifests three times as fast for the same size within 2 %. */
const deflateLevel = 6

const builtinCodecs: AvroCodecs = {
  null: { compress: (bytes) => bytes.slice(), decompress: (bytes) => bytes },
  deflate: {
    compress: (bytes) => deflateSync(bytes, { level: deflateLevel }),
    decompress: (bytes) => inflateSync(bytes),
  },
}

/** The codec of that name out of `codecs`, else the built-in one. Throws `unsupported`. */
export function findAvroCodec(name: string, codecs: AvroCodecs = {}): AvroCodec {
  const codec = Object.hasOwn(codecs, name) ? codecs[name] : undefined
  if (codec !== undefined) return codec
  const builtin = Object.hasOwn(builtinCodecs, name) ? builtinCodecs[name] : undefined
  if (builtin !== undefined) return builtin
  throw new FloeError('unsupported', `Avro codec "${name}" is not built in`, {
    hint: 'hand a codec of that name in, or write the files with deflate',
  })
}
