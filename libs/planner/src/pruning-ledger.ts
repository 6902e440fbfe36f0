import { expressionToString } from '@floe/iceberg'
import type { DataFile, Expression, ManifestFile, Schema, Snapshot } from '@floe/iceberg'

import type { DropReason, PruningReport } from './scan-plan.ts'

/** Characters of a predicate that a report shows: a list of a thousand keys is cut. */
const predicateLengthMax = 200

/** Counts while a plan is made; `report` sums up. */
export class PruningLedger {
  readonly #schema: Schema
  readonly #dropped = new Map<string, { kind: DropReason['kind']; predicate: string; count: number }>()
  readonly #words = new Map<Expression, string>()
  #manifestsScanned = 0
  #filesSeen = 0
  #bytesSeen = 0
  #filesUnread = 0
  #filesKept = 0
  #bytesKept = 0

  constructor(schema: Schema) {
    this.#schema = schema
  }

  dropManifest(manifest: ManifestFile, reason: Expression): void {
    this.#drop('manifest', reason)
    this.leaveUnread(manifest)
  }

  /** A manifest that nothing ruled out but nobody needed. */
  leaveUnread(manifest: ManifestFile): void {
    if (manifest.content === 'data')
      this.#filesUnread += (manifest.addedFilesCount ?? 0) + (manifest.existingFilesCount ?? 0)
  }

  scanManifest(): void {
    this.#manifestsScanned += 1
  }

  seeFile(file: DataFile): void {
    this.#filesSeen += 1
    this.#bytesSeen += file.fileSizeInBytes
  }

  dropFile(kind: 'file-by-partition' | 'file-by-metrics', reason: Expression): void {
    this.#drop(kind, reason)
  }

  keepFile(file: DataFile): void {
    this.#filesKept += 1
    this.#bytesKept += file.fileSizeInBytes
  }

  report(manifestsTotal: number, snapshot: Snapshot | undefined): PruningReport {
    const summed = Number(snapshot?.summary?.['total-files-size'] ?? Number.NaN)
    const bytesTotal = this.#filesUnread === 0 ? this.#bytesSeen : summed
    return {
      manifestsTotal,
      manifestsScanned: this.#manifestsScanned,
      filesTotal: this.#filesSeen + this.#filesUnread,
      filesKept: this.#filesKept,
      ...(Number.isSafeInteger(bytesTotal) ? { bytesTotal } : {}),
      bytesKept: this.#bytesKept,
      dropped: [...this.#dropped.values()],
    }
  }

  /** Thousands of files are dropped by the same few conjuncts. */
  #wordsOf(reason: Expression): string {
    const known = this.#words.get(reason)
    if (known !== undefined) return known
    const whole = expressionToString(reason, this.#schema)
    const words = whole.length > predicateLengthMax ? `${whole.slice(0, predicateLengthMax)}...` : whole
    this.#words.set(reason, words)
    return words
  }

  #drop(kind: DropReason['kind'], reason: Expression): void {
    const predicate = this.#wordsOf(reason)
    const key = `${kind} ${predicate}`
    const entry = this.#dropped.get(key) ?? { kind, predicate, count: 0 }
    entry.count += 1
    this.#dropped.set(key, entry)
  }
}
