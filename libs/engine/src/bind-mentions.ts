import { FloeError } from '@floe/iceberg'
import type { Schema, Snapshot } from '@floe/iceberg'
import type { LoadedTable, LoadedView } from '@floe/catalog'
import { changeFields, metadataTable, resolveSnapshot, selectedSchema } from '@floe/planner'
import type { MetadataTable, SnapshotSelector } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { pinClock } from './clock-functions.ts'
import { findTarget } from './mention-target.ts'
import type { ViewDefinition } from './placeholder.ts'
import { checkMetadataTable, restrictScan } from './restricted-scan.ts'
import type { ScanRestrictions } from './restricted-scan.ts'
import { hideLineage, isLineageField, namesLineage, withLineage } from './row-lineage.ts'
import { gateSelect, scanName } from './select-gate.ts'
import type { TableMention } from './select-gate.ts'
import { parseSelect, treeToSql } from './sql-tree.ts'
import type { Statement } from './sql-tree.ts'
import { tableName } from './table-lookup.ts'
import type { TableCatalog } from './table-lookup.ts'
import { selectorOf } from './version-clause.ts'
import { rewriteVersionSyntax } from './version-syntax.ts'
import { parseView, pathInView, viewSchema, viewSql } from './view-text.ts'

/** A mention whose rows come from files: those of a table, or of the manifests that tell of one. */
export type FoundScan = {
  readonly index: number
  readonly table: string
  readonly selector: SnapshotSelector
  readonly snapshot: Snapshot | undefined
  readonly schema: Schema
  readonly source: ScanSource
}

type ScanSource =
  | {
      readonly kind: 'table'
      readonly loaded: LoadedTable
      /** What the asker may see of it; everything when absent. */
      readonly restrictions: ScanRestrictions | undefined
    }
  | { readonly kind: 'changes'; readonly loaded: LoadedTable }
  | { readonly kind: 'metadata-table'; readonly rows: MetadataTable['rows'] }

export function restrictionsOf({ source }: Pick<FoundScan, 'source'>): ScanRestrictions | undefined {
  return source.kind === 'table' ? source.restrictions : undefined
}

export type BoundMentions = {
  readonly statement: Statement
  readonly scans: readonly FoundScan[]
  readonly views: readonly ViewDefinition[]
}

export type MentionContext = {
  readonly catalog: TableCatalog
  readonly connection: DuckDBConnection
  readonly nowMs: number
}

/** Views on views: more than this is taken for a mistake. */
const viewDepthMax = 32

/**
 * Parses and gates a SELECT, and finds what its mentions are; views are parsed, gated and followed in turn.
 * @throws FloeError invalid-input for a view that stands on itself, and what finding and gating throw
 */
export async function bindMentions(text: string, context: MentionContext): Promise<BoundMentions> {
  const binder = new MentionBinder(context)
  const parsed = await parseSelect(context.connection, rewriteVersionSyntax(text))
  const statement = await binder.bind(parsed, { view: undefined, version: undefined, around: [] })
  return { statement, scans: binder.scans, views: binder.views }
}

/** Where a statement stands: in the text of a query, or in a view. */
type Place = {
  readonly view: LoadedView | undefined
  /** Version that was asked of the view around it, for tables that say none themselves. */
  readonly version: SnapshotSelector | undefined
  /** Names of the views around it, outermost first. */
  readonly around: readonly string[]
}

/** Whether the statement names columns of row lineage. */
type MentionPlace = Place & { readonly lineage: boolean }

class MentionBinder {
  readonly scans: FoundScan[] = []
  readonly views: ViewDefinition[] = []
  readonly #context: MentionContext
  #mentions = 0

  constructor(context: MentionContext) {
    this.#context = context
  }

  async bind(parsed: Statement, place: Place): Promise<Statement> {
    const { statement, mentions } = gateSelect(parsed, this.#mentions)
    this.#mentions += mentions.length
    const schemas: Schema[] = []
    const lineage = namesLineage(statement)
    for (const mention of mentions) schemas.push(await this.#bindMention(mention, { ...place, lineage }))
    const pinned = pinClock(statement, this.#context.nowMs, schemas)
    if (!lineage) return pinned
    return hideLineage(pinned, (name) => {
      const scan = this.scans.find(({ index }) => scanName(index) === name)
      return scan?.schema.fields.some(({ id }) => isLineageField(id)) === true
    })
  }

  async #bindMention(mention: TableMention, place: MentionPlace): Promise<Schema> {
    const { catalog, connection, nowMs } = this.#context
    const path = place.view === undefined ? mention.path : pathInView(mention.path, place.view)
    // Only a version that is asked for may be one that no branch or tag points at.
    const isCurrent = mention.at === undefined && place.version === undefined
    const target = await findTarget(catalog, path, { snapshots: isCurrent ? 'refs' : 'all' })
    if (target.kind === 'view') return this.#bindView(mention, target.loaded, place)
    const named = target.kind === 'table' ? target.version : undefined
    if (named !== undefined && mention.at !== undefined) throw twoVersions(mention)
    const { metadata } = target.loaded
    const written = named ?? (await selectorOf(connection, mention, nowMs, metadata))
    const selector = written.kind === 'current' ? (place.version ?? written) : written
    const { index } = mention
    const table = tableName(target.loaded.identifier)
    if (target.kind === 'metadata-table') {
      checkMetadataTable(target.name, target.loaded)
      const { schema, snapshot, rows } = metadataTable({ metadata, name: target.name, selector, nowMs })
      const source = { kind: 'metadata-table', rows } as const
      this.scans.push({ index, table: `${table}$${target.name}`, selector, snapshot, schema, source })
      return schema
    }
    const snapshot = resolveSnapshot(metadata, selector, { nowMs })
    const selected = selectedSchema(metadata, selector, snapshot)
    if (target.kind === 'changes') {
      checkMetadataTable('changes', target.loaded)
      const schema = { ...selected, fields: [...selected.fields, ...changeFields] }
      const source = { kind: 'changes', loaded: target.loaded } as const
      this.scans.push({ index, table: `${table}$changes`, selector, snapshot, schema, source })
      return schema
    }
    const schema = place.lineage ? withLineage(selected, metadata) : selected
    const restrictions = restrictScan(target.loaded, schema)
    const source = { kind: 'table', loaded: target.loaded, restrictions } as const
    this.scans.push({ index, table, selector, snapshot, schema, source })
    return schema
  }

  async #bindView(mention: TableMention, loaded: LoadedView, place: Place): Promise<Schema> {
    const name = tableName(loaded.identifier)
    if (place.around.includes(name) || place.around.length >= viewDepthMax) {
      throw new FloeError(
        'invalid-input',
        `the view ${name} stands on itself: ${[...place.around, name].join(' > ')}`,
        {
          hint: 'change one of these views, so that the chain ends at tables',
        },
      )
    }
    const { connection } = this.#context
    const parsed = await parseView(connection, loaded)
    const version = (await this.#versionOfView(mention, name)) ?? place.version
    const statement = await this.bind(parsed, { view: loaded, version, around: [...place.around, name] })
    const sql = viewSql(scanName(mention.index), loaded, await treeToSql(connection, statement))
    this.views.push({ view: name, sql })
    return viewSchema(loaded)
  }

  /** A time holds for every table under a view; ids, branches and tags belong to one table. */
  async #versionOfView(mention: TableMention, name: string): Promise<SnapshotSelector | undefined> {
    if (mention.at === undefined) return undefined
    const { connection, nowMs } = this.#context
    const selector = await selectorOf(connection, mention, nowMs)
    if (selector.kind === 'timestamp') return selector
    throw new FloeError(
      'invalid-input',
      `${name} is a view, and snapshots, branches and tags belong to tables`,
      {
        hint: 'ask for a time, AT (TIMESTAMP => ...), or read the tables of the view',
      },
    )
  }
}

function twoVersions({ path }: TableMention): FloeError {
  return new FloeError(
    'invalid-input',
    `${path.join('.')} names a version, and so does what stands behind it`,
    {
      hint: 'write one of them',
    },
  )
}
