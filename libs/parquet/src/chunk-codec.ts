import { compressPage } from './compression.ts'
import type { Codec } from './file-format.ts'

/** Pages that shrink by less than this share stay uncompressed: reading them back costs nothing. */
const compressedShareMax = 0.97
/** Compressed bytes to plain ones, as long as no page of a chunk has shown it. */
const firstPageShare = 0.5
/** What is tried of each page where the column's last chunk did not shrink. */
const sampleBytes = 32 * 1024

export type CodecSettings = { readonly codec: Codec; readonly level: number | undefined }

export type ChosenCodec = {
  readonly codec: Codec
  /** The pages in that codec, in memory of their own. */
  readonly pages: readonly Uint8Array[]
}

/**
 * The codec belongs to the whole chunk: its first pages (the dictionary, where there is one, and data) decide whether it
 * pays.
 * @param wasStored  whether the column's last chunk did not shrink: then the beginning of each page is tried first
 */
export function chooseCodec(
  heads: readonly Uint8Array[],
  { codec, level }: CodecSettings,
  wasStored: boolean,
): ChosenCodec {
  const stored = (): ChosenCodec => ({ codec: 'uncompressed', pages: heads.map((page) => page.slice()) })
  if (codec === 'uncompressed' || (wasStored && !samplesPay(heads, { codec, level }))) return stored()
  const pages = heads.map((page) => compressPage(page, codec, level, firstPageShare))
  return pays(byteCount(pages), byteCount(heads)) ? { codec, pages } : stored()
}

function samplesPay(heads: readonly Uint8Array[], { codec, level }: CodecSettings): boolean {
  const expected = heads.map((page) => {
    const sample = page.subarray(0, sampleBytes)
    return (compressPage(sample, codec, level).length / Math.max(1, sample.length)) * page.length
  })
  return pays(
    expected.reduce((total, bytes) => total + bytes, 0),
    byteCount(heads),
  )
}

function pays(compressedBytes: number, plainBytes: number): boolean {
  return compressedBytes < plainBytes * compressedShareMax
}

function byteCount(pages: readonly Uint8Array[]): number {
  return pages.reduce((total, page) => total + page.length, 0)
}
