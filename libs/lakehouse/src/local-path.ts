/** The path of `scheme:path` or `scheme:///path`; none of `scheme://host/path`, which names another machine. */
export function localPath(text: string, scheme: string): string | undefined {
  if (!text.startsWith(`${scheme}:`)) return undefined
  const name = text.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, '')
  return name === '' || name.startsWith('//') ? undefined : name
}
