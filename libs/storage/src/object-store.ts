export type ObjectInfo = {
  readonly location: string
  readonly sizeBytes: number
  readonly lastModifiedMs: number
}

export type CallOptions = { readonly signal?: AbortSignal }

/** An object being written: invisible until `complete`, gone without a trace after `abort`. */
export interface Upload {
  /** Resolves when more may be written: the back-pressure of a bounded number of parts in flight. Takes the bytes over. */
  write(bytes: Uint8Array): Promise<void>
  /** Makes the object visible, durable and whole. Returns its size in bytes. */
  complete(): Promise<{ readonly sizeBytes: number }>
  /** Never throws. After it no part and no temporary file is left. */
  abort(): Promise<void>
}

/**
 * Immutable objects by location: `file:///dir/name` (a bare absolute path is taken too), `s3://bucket/key`,
 * `memory://name/key`. Every error is a `FloeError`: `not-found`, `unavailable`, `permission-denied`,
 * `resource-exhausted` (full disk), `cancelled`.
 */
export interface ObjectStore {
  /** The bytes of an object, or of one range of it. */
  get(
    location: string,
    options?: CallOptions & { readonly range?: { readonly offset: number; readonly length: number } },
  ): Promise<Uint8Array>
  head(location: string, options?: CallOptions): Promise<ObjectInfo | undefined>
  /** Atomic: readers see the old object, none, or the whole new one. */
  put(location: string, bytes: Uint8Array, options?: CallOptions): Promise<void>
  /** Must be atomic: of two writers racing on one location, exactly one resolves `true`. */
  putIfAbsent(location: string, bytes: Uint8Array, options?: CallOptions): Promise<boolean>
  openUpload(location: string, options?: CallOptions): Promise<Upload>
  /** Every object whose location starts with `prefix`, in no particular order. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>
  /** Absent objects are not an error. */
  delete(locations: readonly string[], options?: CallOptions): Promise<void>
  /**
   * Removes what uploads to these locations left behind when their writer ended without `complete` or `abort`: such an
   * upload cannot become visible any more. Finished objects stay; nothing left behind is not an error. The caller
   * knows that nobody writes there.
   */
  discardUploads(locations: readonly string[], options?: CallOptions): Promise<void>
}

/** What readers of immutable objects ask for. */
export type ObjectReader = Pick<ObjectStore, 'get'>

/** Settings of `s3://`; the AWS SDK's own defaults (environment, profile) fill what is absent. */
export type S3Settings = {
  readonly endpoint?: string
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  readonly pathStyle?: boolean
  /** When the keys end, in milliseconds since the Unix epoch. */
  readonly keysExpireAtMs?: number
}

/** Settings of their own for every `s3://` location that starts with `prefix`, such as keys that a catalog vends. */
export type StoragePlace = {
  readonly prefix: string
  readonly s3: S3Settings
  /** Who gives fresh keys when these end: the name of a `serveFreshKeys`. */
  readonly renewal?: string
}

/** What a store is made from: plain data that crosses threads. */
export type StoreSettings = {
  readonly s3?: S3Settings
  /** Of those that fit a location, the one with the longest prefix counts, alone. */
  readonly places?: readonly StoragePlace[]
  /** Size of one multipart part (default 8 MiB) and parts in flight per upload (default 3). */
  readonly partBytes?: number
  readonly inFlightPartsMax?: number
}
