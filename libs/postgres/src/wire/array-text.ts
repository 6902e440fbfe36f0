/** An array value: elements are texts, nulls, or in more than one dimension arrays again. */
export type ArrayText = readonly (string | null | ArrayText)[]

/** Reads PostgreSQL's array literal; bounds such as `[0:2]=` are dropped, as Iceberg's lists have none. */
export function parseArrayText(text: string): ArrayText {
  const [elements] = parseBraces(text, text.indexOf('{') + 1)
  return elements
}

/** Elements from `at`, which is behind the opening brace, and where the closing brace ends. */
function parseBraces(text: string, start: number): [ArrayText, number] {
  const elements: (string | null | ArrayText)[] = []
  let at = start
  while (at < text.length && text[at] !== '}') {
    if (text[at] === ',') at++
    const [element, end] = parseElement(text, at)
    elements.push(element)
    at = end
  }
  return [elements, at + 1]
}

function parseElement(text: string, at: number): [string | null | ArrayText, number] {
  if (text[at] === '{') return parseBraces(text, at + 1)
  if (text[at] === '"') return parseQuoted(text, at + 1)
  let end = at
  while (end < text.length && text[end] !== ',' && text[end] !== '}') end++
  const plain = text.slice(at, end)
  return [plain.toUpperCase() === 'NULL' ? null : plain.replaceAll(/\\(.)/gs, '$1'), end]
}

function parseQuoted(text: string, start: number): [string, number] {
  let value = ''
  let at = start
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at++
    value += text[at] ?? ''
    at++
  }
  return [value, at + 1]
}
