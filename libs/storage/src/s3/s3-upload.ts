import { once } from 'node:events'
import { PassThrough } from 'node:stream'

import type { S3Client } from '@aws-sdk/client-s3'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
} from '@aws-sdk/client-s3'
import { Upload as MultipartUpload } from '@aws-sdk/lib-storage'

import { cancelledError } from '../cancellation.ts'
import type { Upload } from '../object-store.ts'
import { discardUploads } from './discard-uploads.ts'
import { attemptsOf, s3Error, statusOf } from './s3-error.ts'
import { parseS3Location } from './s3-location.ts'

export type UploadLimits = { readonly partBytes: number; readonly inFlightPartsMax: number }

/** Bytes given to the SDK at a time. It copies what it assembles into a part: small pieces keep the copy near one part. */
const pieceBytesMax = 1024 * 1024

/**
 * A multipart upload, or one PutObject when it all fits into a part. `write` waits while `inFlightPartsMax` parts are
 * under way, so that an upload holds about `(inFlightPartsMax + 1) * partBytes`. The first failed part ends it.
 */
export class S3Upload implements Upload {
  readonly #client: S3Client
  readonly #location: string
  readonly #signal: AbortSignal | undefined
  readonly #halt = new AbortController()
  // One object in either buffer: the pieces in between stay few and are never joined.
  readonly #pieces = new PassThrough({ objectMode: true, highWaterMark: 1 })
  readonly #done: Promise<unknown>
  readonly #onSignal = (): void => this.#end(cancelledError(this.#location, this.#signal?.reason))
  #tail: Promise<void> = Promise.resolve()
  #sizeBytes = 0
  #failure: unknown = undefined
  #completed = false
  #mayHaveStrays = false

  constructor(client: S3Client, location: string, limits: UploadLimits, signal: AbortSignal | undefined) {
    this.#client = client
    this.#location = location
    this.#signal = signal
    const { bucket, key } = parseS3Location(location)
    this.#pieces.on('error', () => {})
    this.#done = new MultipartUpload({
      client: haltingClient(client, this.#halt.signal, {
        sizeBytes: () => this.#sizeBytes,
        onCreateSentAgain: () => (this.#mayHaveStrays = true),
        onFailure: (error) => this.#end(error),
      }),
      params: { Bucket: bucket, Key: key, Body: this.#pieces },
      partSize: limits.partBytes,
      queueSize: limits.inFlightPartsMax,
    }).done()
    this.#done.catch((error: unknown) => this.#end(error))
    signal?.addEventListener('abort', this.#onSignal, { once: true })
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.length
    this.#tail = this.#tail.then(() => this.#send(bytes))
    this.#tail.catch(() => {})
    await this.#tail
  }

  async complete(): Promise<{ readonly sizeBytes: number }> {
    try {
      await this.#tail
      this.#check()
      this.#pieces.end()
      await this.#done
    } catch (error) {
      await this.abort()
      throw this.#failed(error)
    } finally {
      this.#signal?.removeEventListener('abort', this.#onSignal)
    }
    this.#completed = true
    await this.#discardStrays()
    return { sizeBytes: this.#sizeBytes }
  }

  async abort(): Promise<void> {
    if (this.#completed) return
    this.#signal?.removeEventListener('abort', this.#onSignal)
    this.#end(cancelledError(this.#location))
    // Rejects after the SDK has seen every part end and has sent AbortMultipartUpload.
    await this.#done.catch(() => {})
    await this.#discardStrays()
  }

  /**
   * A CreateMultipartUpload whose answer was lost has made an upload whose id nobody knows. Best effort, and only then:
   * what another writer of the same key has begun ends as well.
   */
  async #discardStrays(): Promise<void> {
    if (!this.#mayHaveStrays) return
    this.#mayHaveStrays = false
    await discardUploads(this.#client, [this.#location]).catch(() => {})
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += pieceBytesMax) {
      this.#check()
      if (this.#pieces.write(bytes.subarray(start, start + pieceBytesMax))) continue
      try {
        await once(this.#pieces, 'drain', { signal: this.#halt.signal })
      } catch (error) {
        throw this.#failed(error)
      }
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failed(this.#failure)
  }

  #failed(error: unknown): Error {
    return s3Error(this.#failure ?? error, 'write', this.#location, this.#signal)
  }

  /** Cuts the requests under way and the supply of bytes; the SDK then cleans up by itself. */
  #end(failure: unknown): void {
    this.#failure ??= failure
    this.#halt.abort()
    this.#pieces.destroy(new Error('the upload has ended'))
  }
}

type UploadInProgress = {
  readonly sizeBytes: () => number
  readonly onCreateSentAgain: () => void
  readonly onFailure: (error: unknown) => void
}

/**
 * A view of the client for one upload. The SDK's Upload goes on reading after a part has failed and has no way to cut
 * a request that hangs, so both are done here. CreateMultipartUpload is never cut, since its id is needed to abort;
 * AbortMultipartUpload neither, since it runs after the halt.
 */
function haltingClient(client: S3Client, halt: AbortSignal, upload: UploadInProgress): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    if (command instanceof AbortMultipartUploadCommand) return client.send(command)
    try {
      if (command instanceof CreateMultipartUploadCommand)
        return await createUpload(client, command, upload.onCreateSentAgain)
      if (command instanceof CompleteMultipartUploadCommand)
        return await completeUpload(client, command, upload.sizeBytes(), halt)
      return await client.send(command, { abortSignal: halt })
    } catch (error) {
      upload.onFailure(error)
      throw error
    }
  }
  return Object.create(client, { send: { value: send } }) as S3Client
}

async function createUpload(
  client: S3Client,
  command: CreateMultipartUploadCommand,
  onSentAgain: () => void,
): Promise<unknown> {
  try {
    const created = await client.send(command)
    if (attemptsOf(created) > 1) onSentAgain()
    return created
  } catch (error) {
    onSentAgain()
    throw error
  }
}

/**
 * Sent more than once, the first may have completed the upload and its answer been lost: then servers other than AWS
 * know the upload no more, and the object is there.
 */
async function completeUpload(
  client: S3Client,
  command: CompleteMultipartUploadCommand,
  sizeBytes: number,
  halt: AbortSignal,
): Promise<unknown> {
  try {
    return await client.send(command, { abortSignal: halt })
  } catch (error) {
    if (statusOf(error) !== 404 || attemptsOf(error) === 1) throw error
    const { Bucket, Key, MultipartUpload } = command.input
    const found = await client
      .send(new HeadObjectCommand({ Bucket, Key }), { abortSignal: halt })
      .catch(() => undefined)
    // The ETag of an object that was put together says of how many parts.
    const isOurs =
      found?.ContentLength === sizeBytes &&
      found.ETag?.endsWith(`-${MultipartUpload?.Parts?.length}"`) === true
    if (!isOurs) throw error
    return found
  }
}
