import { existsSync, readFileSync } from 'node:fs'
import type { TableSelection, TableSettings } from '@floe/etl'
import { FloeError } from '@floe/iceberg'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { columnPolicies, typePolicies } from './type-policies.ts'
import { parseNamespace } from './table-name.ts'

/** The file that `floe sync` reads when it is given none. */
export const pipelineFileName = 'floe.yaml'

/** What a pipeline file asks for, ready for `Lakehouse.load`. */
export type Pipeline = Partial<TableSettings> & {
  /** The database to load from; the one of the settings when absent. */
  readonly sourceUrl?: string
  readonly mode: TableSettings['mode']
  readonly transaction: boolean
  /** False: begins anew, whatever a load that was killed had finished. */
  readonly resume: boolean
  readonly namespace: readonly string[]
  readonly tables: readonly TableSelection[]
}

const name = z.string().min(1)
const rowCount = z.number().int().positive()
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const namespace = z.string().transform((text, context) => {
  try {
    return parseNamespace(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    return z.NEVER
  }
})

const cursor = z.union([
  name.transform((column) => ({ column })),
  z
    .strictObject({
      column: name,
      lag: scalar.optional(),
      merge: z.boolean().optional(),
      commitEvery: rowCount.optional(),
    })
    .transform(({ commitEvery, ...rest }) => ({ ...rest, commitEveryRows: commitEvery })),
])

const settings = {
  mode: z.enum(['create', 'append', 'replace', 'incremental']).optional(),
  cursor: cursor.optional(),
  partitionBy: name.optional(),
  sortBy: name.optional(),
  columns: z.array(name).min(1).optional(),
  where: name.optional(),
  properties: z.record(name, scalar).optional(),
}

const table = z.union([
  name.transform((source) => ({ source })),
  z
    .strictObject({
      table: name,
      namespace: namespace.optional(),
      name: name.optional(),
      ...settings,
      types: columnPolicies.optional(),
    })
    .transform(({ table: source, types, ...rest }) => ({ ...rest, source, columnPolicies: types })),
])

const pipelineFile = z.strictObject({
  source: name.optional(),
  namespace,
  transaction: z.boolean().default(false),
  resume: z.boolean().default(true),
  ...settings,
  types: typePolicies.optional(),
  tables: z.array(table).min(1),
})

/**
 * Reads a pipeline file: YAML, with errors that name the path of what is wrong. A source of the form `$NAME` is taken
 * from the environment, which keeps passwords out of the file.
 * @throws not-found, invalid-input
 */
export function readPipeline(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Pipeline {
  if (!existsSync(file)) {
    throw new FloeError('not-found', `there is no pipeline file ${file}`, {
      hint: 'write one with source, namespace and tables, or name another: floe sync <file>; floe sync --help shows one',
    })
  }
  const parsed = pipelineFile.safeParse(parseText(file))
  if (!parsed.success) {
    throw new FloeError('invalid-input', `${file}: ${z.prettifyError(parsed.error)}`, {
      hint: 'floe sync --help lists what a pipeline file holds',
    })
  }
  const { source, types, tables, ...rest } = parsed.data
  const sourceUrl = source === undefined ? undefined : sourceOf(file, source, environment)
  return withoutAbsent({
    ...rest,
    mode: rest.mode ?? 'create',
    sourceUrl,
    policies: types,
    tables: tables.map((entry) => selectionOf(entry, types)),
  }) as Pipeline
}

function parseText(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new FloeError('invalid-input', `${file} is not YAML`, {
      hint: cause instanceof Error ? (cause.message.split('\n')[0] ?? 'see its cause') : 'see its cause',
      cause,
    })
  }
}

function sourceOf(
  file: string,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const variable = /^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$/.exec(text)?.[1]
  if (variable === undefined) return text
  const value = environment[variable]
  if (value !== undefined && value !== '') return value
  throw new FloeError('invalid-input', `${file}: source: ${variable} is not set`, {
    hint: `export ${variable}=postgres://user:password@host:5432/database`,
  })
}

type Entry = z.output<typeof table>
type Policies = z.output<typeof typePolicies>

/** Types of an entry name bare columns: they become those of its own source table. */
function selectionOf(entry: Entry, types: Policies | undefined): TableSelection {
  if (!('columnPolicies' in entry)) return entry
  const { columnPolicies: own, ...rest } = entry
  if (own === undefined) return withoutAbsent(rest) as TableSelection
  const columns = Object.fromEntries(
    Object.entries(own).map(([column, policy]) => [`${entry.source}.${column}`, policy]),
  )
  const policies = { ...types, columns: { ...types?.columns, ...columns } }
  return withoutAbsent({ ...rest, policies }) as TableSelection
}

/** Members that were not set, at any depth, are not there at all: a default must not be overwritten by nothing. */
function withoutAbsent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
