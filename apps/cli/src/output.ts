import { stringifyJson } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import { jsonOf } from '@floe/lakehouse'

export const outputFormats = ['table', 'json', 'ndjson', 'csv'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** Anything that a command prints: bigints stay exact in JSON. */
export type OutputRows = {
  readonly columns: readonly string[]
  readonly batches: AsyncIterable<readonly (readonly unknown[])[]> | Iterable<readonly (readonly unknown[])[]>
}

type Write = (text: string) => Promise<void> | void

/** Rows that a terminal table holds before it prints, since column widths need them. */
const tableRowsMax = 10_000

/** Prints rows as they come (a table, in pages). Returns how many there were. */
export async function printRows(
  { columns, batches }: OutputRows,
  format: OutputFormat,
  write: Write,
): Promise<number> {
  const printer = printers[format](columns, write)
  let count = 0
  for await (const rows of batches) {
    await printer.rows(rows)
    count += rows.length
  }
  await printer.end()
  return count
}

type Printer = { rows(rows: readonly (readonly unknown[])[]): Promise<void>; end(): Promise<void> }

const printers: Readonly<Record<OutputFormat, (columns: readonly string[], write: Write) => Printer>> = {
  table: tablePrinter,
  json: jsonPrinter,
  ndjson: ndjsonPrinter,
  csv: csvPrinter,
}

function tablePrinter(columns: readonly string[], write: Write): Printer {
  let page: string[][] = []
  let numeric: boolean[] | undefined
  const flush = async (): Promise<void> => {
    await write(renderTable(columns.map(printable), page, numeric ?? []))
    page = []
  }
  return {
    async rows(rows) {
      numeric ??= columns.map((_, index) => rows.every((row) => isNumeric(row[index])))
      for (const row of rows) page.push(row.map((value) => printable(textOf(value))))
      if (page.length >= tableRowsMax) await flush()
    },
    async end() {
      if (page.length > 0 || numeric === undefined) await flush()
    },
  }
}

// A line break would tear the table, and an escape sequence of somebody's data would reach the terminal.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/g
function printable(text: string): string {
  return text.replaceAll(controlCharacter, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1)
    return escaped.length > 1 ? escaped : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function isNumeric(value: unknown): boolean {
  return value === null || typeof value === 'number' || typeof value === 'bigint'
}

function renderTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string {
  const widths = columns.map((name, index) =>
    rows.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? '')), displayWidth(name)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell)))
        return numeric[index] === true ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return `${[line(columns), rule, ...rows.map(line)].join('\n')}\n`
}

// One cell per grapheme is right for the scripts that terminals draw narrow; wide ones misalign, but lose nothing.
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
function displayWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the range is plain ASCII, where one character is one cell
  if (/^[\x00-\x7f]*$/.test(text)) return text.length
  return [...graphemes.segment(text)].length
}

function jsonPrinter(columns: readonly string[], write: Write): Printer {
  const names = uniqueNames(columns)
  let isFirst = true
  return {
    async rows(rows) {
      for (const row of rows) {
        await write(`${isFirst ? '[\n' : ',\n'}  ${stringifyJson(rowObject(names, row))}`)
        isFirst = false
      }
    },
    async end() {
      await write(isFirst ? '[]\n' : '\n]\n')
    },
  }
}

function ndjsonPrinter(columns: readonly string[], write: Write): Printer {
  const names = uniqueNames(columns)
  return {
    async rows(rows) {
      await write(rows.map((row) => `${stringifyJson(rowObject(names, row))}\n`).join(''))
    },
    async end() {},
  }
}

function csvPrinter(columns: readonly string[], write: Write): Printer {
  let hasHeader = false
  const header = async (): Promise<void> => {
    if (!hasHeader) await write(`${columns.map(csvCell).join(',')}\n`)
    hasHeader = true
  }
  return {
    async rows(rows) {
      await header()
      await write(rows.map((row) => `${row.map((value) => csvCell(value)).join(',')}\n`).join(''))
    },
    end: header,
  }
}

// RFC 4180; an empty string is quoted so that it differs from null.
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = textOf(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'object') return stringifyJson(jsonOf(value))
  return String(value as string | number | bigint | boolean)
}

// `SELECT a.id, b.id` has two columns of one name: the second must not swallow the first.
function uniqueNames(columns: readonly string[]): readonly string[] {
  const taken = new Set<string>(columns)
  const seen = new Set<string>()
  return columns.map((name) => {
    let unique = name
    for (let suffix = 1; seen.has(unique); suffix++) {
      if (!taken.has(`${name}_${suffix}`)) unique = `${name}_${suffix}`
    }
    seen.add(unique)
    taken.add(unique)
    return unique
  })
}

function rowObject(names: readonly string[], row: readonly unknown[]): JsonValue {
  // `fromEntries` makes own members also of names such as `__proto__`.
  return Object.fromEntries(names.map((name, index) => [name, jsonOf(row[index])]))
}
