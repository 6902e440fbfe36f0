import { FloeError } from '@floe/iceberg/values'

export type Scheme = 'file' | 's3' | 'memory'

/**
 * Which store holds a location. Iceberg locations are plain strings: nothing is percent-decoded or encoded, here or
 * in any adapter, so that the bytes of a name are the same for every writer.
 * @throws `unsupported` for a foreign scheme, `invalid-input` for a relative path, a `.` or `..` segment, or NUL
 */
export function schemeOf(location: string): Scheme {
  refuseTricks(location)
  if (location.startsWith('/')) return 'file'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]
  switch (scheme) {
    case 'file':
    case 's3':
    case 'memory':
      return scheme
    case 's3a':
      return 's3'
    case undefined:
      throw new FloeError('invalid-input', `${location} is not a location`, {
        hint: 'give an absolute path, or a location that starts with file:, s3:// or memory://',
      })
    default:
      throw new FloeError('unsupported', `no store for the scheme ${scheme}: of ${location}`, {
        hint: 'use file:, s3:// (or s3a://) or memory://',
      })
  }
}

/** `base` and `segments` with one slash between them. A segment may hold slashes itself. */
export function joinLocation(base: string, ...segments: readonly string[]): string {
  const trimmed = withoutTrailingSlashes(base)
  // `file:///` is the root directory: without its slashes it would name a relative path.
  const head = trimmed === 'file:' ? 'file://' : trimmed
  const tail = segments
    .map((segment) => segment.replace(/^\/+|\/+$/g, ''))
    .filter((segment) => segment !== '')
  const joined = [head, ...tail].join('/')
  refuseTricks(joined)
  return joined
}

function withoutTrailingSlashes(text: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === '/') end -= 1
  return text.slice(0, end)
}

/**
 * The absolute path of a `file:` location or bare path, byte for byte.
 * @throws `invalid-input` for another scheme, or for `file://host/...` with a host other than `localhost`
 */
export function locationToFilePath(location: string): string {
  if (schemeOf(location) !== 'file') throw notAFile(location)
  if (location.startsWith('/')) return location
  const rest = location.slice('file:'.length)
  if (!rest.startsWith('//')) {
    if (rest.startsWith('/')) return rest
    throw notAFile(location)
  }
  const path = rest.slice('//'.length)
  if (path.startsWith('/')) return path
  if (path.startsWith('localhost/')) return path.slice('localhost'.length)
  throw notAFile(location)
}

/** `file://` in front of an absolute path, byte for byte. */
export function filePathToLocation(path: string): string {
  if (!path.startsWith('/')) {
    throw new FloeError('invalid-input', `${path} is not an absolute path`, {
      hint: 'resolve the path first',
    })
  }
  refuseTricks(path)
  return `file://${path}`
}

function notAFile(location: string): FloeError {
  return new FloeError('invalid-input', `${location} does not name a local file`, {
    hint: 'write file:///dir/name, file:/dir/name or /dir/name',
  })
}

function refuseTricks(location: string): void {
  const bad = location.includes('\0') || location.split('/').some((part) => part === '..' || part === '.')
  if (!bad) return
  throw new FloeError('invalid-input', `${JSON.stringify(location)} has a NUL, a "." or a ".." segment`, {
    hint: 'name the object by its full location',
  })
}
