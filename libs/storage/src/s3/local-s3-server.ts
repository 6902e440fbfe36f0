import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type S3Call = {
  readonly operation: string
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** What goes wrong with a call: no answer, a connection cut before or after its effect or inside of the answer, or an error. */
export type Fault =
  | 'hang'
  | 'drop'
  | 'drop-after'
  | 'half-answer'
  | { readonly status: number; readonly code: string }

const modified = new Date('2024-01-01T00:00:00Z')

/** `parts` is of an object that was put together. */
type Stored = { readonly bytes: Buffer; readonly putId: string | undefined; readonly parts?: number }
type PendingUpload = { readonly key: string; readonly parts: Map<number, Buffer> }
type Answer = {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: Buffer | string
}

/** Enough of the S3 protocol for one bucket in memory. It refuses what a strict server would refuse. */
export class LocalS3Server {
  readonly calls: S3Call[] = []
  readonly objects: Map<string, Stored> = new Map()
  readonly uploads: Map<string, PendingUpload> = new Map()
  fault: (call: S3Call) => Fault | undefined = () => undefined
  keysPerPage: number = 1000
  readonly #hanging: (() => void)[] = []
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Answers the calls that hang. */
  release(): void {
    for (const answer of this.#hanging.splice(0)) answer()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readCall(request).catch(() => undefined)
    if (call === undefined) return
    this.calls.push(call)
    const fault = this.fault(call)
    if (fault === 'drop') return void request.socket.destroy()
    if (typeof fault === 'object') return send(response, failure(fault.status, fault.code))
    if (fault === 'hang') return void this.#hanging.push(() => send(response, this.#answer(call)))
    const answer = this.#answer(call)
    if (fault === 'drop-after') return void request.socket.destroy()
    if (fault === 'half-answer') return sendHalf(response, answer)
    send(response, answer)
  }

  #answer(call: S3Call): Answer {
    const objection = objectionTo(call)
    if (objection !== undefined) return failure(400, objection)
    switch (call.operation) {
      case 'PutObject':
        return this.#put(call)
      case 'GetObject':
      case 'HeadObject':
        return this.#get(call)
      case 'ListObjectsV2':
        return this.#list(call.query)
      case 'ListMultipartUploads':
        return this.#listUploads(call.query)
      case 'DeleteObjects':
        for (const [, key = ''] of call.body.toString().matchAll(/<Key>(.*?)<\/Key>/gs))
          this.objects.delete(plain(key))
        return { status: 200, body: '<DeleteResult></DeleteResult>' }
      default:
        return this.#multipart(call)
    }
  }

  #put({ key, headers, body }: S3Call): Answer {
    if (headers['if-none-match'] === '*' && this.objects.has(key)) return failure(412, 'PreconditionFailed')
    this.objects.set(key, { bytes: body, putId: headers['x-amz-meta-floe-put-id']?.toString() })
    return { status: 200, headers: { etag: etagOf(body) } }
  }

  #get({ operation, key, headers }: S3Call): Answer {
    const stored = this.objects.get(key)
    if (stored === undefined) return operation === 'HeadObject' ? { status: 404 } : failure(404, 'NoSuchKey')
    const { bytes, putId, parts } = stored
    const about = {
      etag: etagOf(bytes, parts),
      'last-modified': modified.toUTCString(),
      'x-amz-meta-floe-put-id': putId ?? '',
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
    if (range === null) return { status: 200, headers: about, body: bytes }
    const [start, end] = [Number(range[1]), Number(range[2])]
    if (start >= bytes.length) return failure(416, 'InvalidRange')
    return { status: 206, headers: about, body: bytes.subarray(start, end + 1) }
  }

  #list(query: URLSearchParams): Answer {
    const after = query.get('continuation-token') ?? ''
    const prefix = query.get('prefix') ?? ''
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, this.keysPerPage)
    const contents = page.map(
      (key) => `<Contents><Key>${escaped(key)}</Key><Size>${this.objects.get(key)?.bytes.length}</Size>`,
    )
    const last = page.at(-1)
    const more = page.length < keys.length && last !== undefined
    const token = more ? `<NextContinuationToken>${escaped(last)}</NextContinuationToken>` : ''
    const time = `<LastModified>${modified.toISOString()}</LastModified></Contents>`
    const rows = contents.map((row) => row + time).join('')
    const body = `<ListBucketResult><IsTruncated>${more}</IsTruncated>${token}${rows}</ListBucketResult>`
    return { status: 200, body }
  }

  #listUploads(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? ''
    const marker = `${query.get('key-marker') ?? ''}\n${query.get('upload-id-marker') ?? ''}`
    const found = [...this.uploads]
      .map(([id, { key }]) => ({ id, key, place: `${key}\n${id}` }))
      .filter(({ key, place }) => key.startsWith(prefix) && place > marker)
      .sort((left, right) => (left.place < right.place ? -1 : 1))
    const page = found.slice(0, this.keysPerPage)
    const rows = page.map(
      ({ id, key }) => `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></Upload>`,
    )
    const last = page.at(-1)
    const next =
      page.length === found.length || last === undefined
        ? '<IsTruncated>false</IsTruncated>'
        : `<IsTruncated>true</IsTruncated><NextKeyMarker>${escaped(last.key)}</NextKeyMarker>` +
          `<NextUploadIdMarker>${last.id}</NextUploadIdMarker>`
    return {
      status: 200,
      body: `<ListMultipartUploadsResult>${next}${rows.join('')}</ListMultipartUploadsResult>`,
    }
  }

  #multipart({ operation, key, query, body }: S3Call): Answer {
    if (operation === 'CreateMultipartUpload') {
      const id = `upload-${this.calls.length}`
      this.uploads.set(id, { key, parts: new Map() })
      return {
        status: 200,
        body: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      }
    }
    const id = query.get('uploadId') ?? ''
    const parts = this.uploads.get(id)?.parts
    if (parts === undefined) return failure(404, 'NoSuchUpload')
    if (operation === 'UploadPart') {
      parts.set(Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: etagOf(body) } }
    }
    if (operation === 'CompleteMultipartUpload') {
      const whole = assemble(parts, body.toString())
      if (whole === undefined) return failure(400, 'InvalidPart')
      this.objects.set(key, { bytes: whole, putId: undefined, parts: parts.size })
    }
    this.uploads.delete(id)
    return { status: 200, body: '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>' }
  }
}

const partBytesMin = 5 * 1024 * 1024

/** The listed parts in their order, `undefined` when one is unknown, changed or too small. */
function assemble(parts: ReadonlyMap<number, Buffer>, listed: string): Buffer | undefined {
  const blocks = [...listed.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, text = '']) => {
    const part = parts.get(Number(/<PartNumber>(\d+)</.exec(text)?.[1]))
    return part !== undefined && plain(/<ETag>(.*?)</.exec(text)?.[1] ?? '') === etagOf(part)
      ? part
      : undefined
  })
  const known = blocks.filter((block) => block !== undefined)
  if (known.length !== parts.size || known.slice(0, -1).some((block) => block.length < partBytesMin))
    return undefined
  return Buffer.concat(known)
}

/** Why a strict server refuses the request itself. */
function objectionTo({ operation, headers, body }: S3Call): string | undefined {
  if (headers.authorization?.includes('AWS4-HMAC-SHA256 Credential=test-key/') !== true) return 'NotSigned'
  const hash = headers['x-amz-content-sha256']
  if (hash !== 'UNSIGNED-PAYLOAD' && hash !== createHash('sha256').update(body).digest('hex'))
    return 'WrongHash'
  const names = Object.keys(headers)
  const isUpload = operation === 'PutObject' || operation === 'UploadPart'
  if (isUpload && names.some((name) => /checksum|trailer|content-encoding/.test(name)))
    return 'ChecksumNotImplemented'
  if (operation !== 'DeleteObjects') return undefined
  const digest = headers['content-md5'] ?? headers['x-amz-checksum-crc32']
  const keys = body.toString().match(/<Key>/g)?.length ?? 0
  return digest === undefined || keys === 0 || keys > 1000 ? 'MalformedDelete' : undefined
}

async function readCall(request: IncomingMessage): Promise<S3Call> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const url = new URL(request.url ?? '/', 'http://host')
  const key = decodeURIComponent(url.pathname.slice('/bucket/'.length))
  const operation = operationOf(request.method ?? '', key, url.searchParams)
  return { operation, key, query: url.searchParams, headers: request.headers, body: Buffer.concat(chunks) }
}

function operationOf(method: string, key: string, query: URLSearchParams): string {
  if (query.has('uploads')) return method === 'GET' ? 'ListMultipartUploads' : 'CreateMultipartUpload'
  if (query.has('partNumber')) return 'UploadPart'
  if (query.has('uploadId')) return method === 'DELETE' ? 'AbortMultipartUpload' : 'CompleteMultipartUpload'
  if (query.has('delete')) return 'DeleteObjects'
  if (key === '') return 'ListObjectsV2'
  return { PUT: 'PutObject', HEAD: 'HeadObject' }[method] ?? 'GetObject'
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

function sendHalf(response: ServerResponse, { status, body = '' }: Answer): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
  response.write(body.slice(0, body.length / 2), () => response.destroy())
}

function failure(status: number, code: string): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` }
}

function etagOf(bytes: Buffer, parts?: number): string {
  const hash = createHash('md5').update(bytes).digest('hex')
  return parts === undefined ? `"${hash}"` : `"${hash}-${parts}"`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

function plain(xml: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return xml.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (_, hex: string, decimal: string, name: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return decimal !== undefined ? String.fromCodePoint(Number(decimal)) : (named[name] ?? '')
    },
  )
}
