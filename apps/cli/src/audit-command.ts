import { setTimeout as delay } from 'node:timers/promises'
import { FloeError } from '@floe/iceberg'
import { auditActions, parseNamespace, parseTableName } from '@floe/lakehouse'
import type { AuditAction, AuditEntry, AuditFilter, CatalogManagement } from '@floe/lakehouse'
import { Option } from 'commander'
import type { Command } from 'commander'
import { parseDuration } from './duration.ts'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { writeStdout } from './stdout.ts'

type AuditFlags = {
  readonly table?: string
  readonly namespace?: string
  readonly principal?: string
  readonly action?: AuditAction
  readonly since?: string
  readonly until?: string
  readonly limit: string
  readonly follow?: boolean
  readonly output: OutputFormat
}

/** Entries that are asked for at one time. */
const pageEntriesMax = 1000
/** Between two looks for what is new. */
const lookEveryMs = 1000

export function addAuditCommand(program: Command, signal: AbortSignal): void {
  program
    .command('audit')
    .description('who changed what and when, the latest last')
    .option('--table <table>', 'changes of a table or view, under all its names')
    .option('--namespace <namespace>', 'changes in a namespace')
    .option('--principal <name>', 'changes by somebody; anonymous where nobody has to say who asks')
    .addOption(new Option('--action <action>', 'changes of one kind').choices([...auditActions]))
    .option('--since <time>', 'such as 12h or 30d ago, or 2026-01-31T12:00:00Z')
    .option('--until <time>', 'the same')
    .option('--limit <count>', 'of the latest', '100')
    .option('--follow', 'go on with what comes, a line of JSON each, or with --output csv', false)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nWhere the metadata was before and after is in the formats json, ndjson and csv.\n' +
        '\nExample:\n  floe audit --table shop.orders --since 30d --output json\n',
    )
    .action(async (_flags: unknown, command: Command) => runAudit(allFlags<AuditFlags>(command), signal))
}

async function runAudit(flags: AuditFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  const filter = parseFilter(flags)
  const limit = parseLimit(flags.limit)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const management = await lakehouse.management()
  const latest = await readLatest(management, filter, limit)
  const isFollowing = flags.follow === true
  // A table is as wide as its widest row, which may be yet to come.
  const format = isFollowing && flags.output !== 'csv' ? 'ndjson' : flags.output
  const shown = format === 'table' ? columns.slice(0, shortColumns) : columns
  const entries = isFollowing ? follow(management, filter, latest, signal) : once(latest)
  await printRows({ columns: shown, batches: rowsOf(entries) }, format, writeStdout)
}

/** The latest entries, oldest of them first. */
async function readLatest(
  management: CatalogManagement,
  filter: AuditFilter,
  limit: number,
): Promise<readonly AuditEntry[]> {
  const found: AuditEntry[] = []
  while (found.length < limit) {
    const last = found.at(-1)
    const count = Math.min(limit - found.length, pageEntriesMax)
    const page = { limit: count, ...(last === undefined ? {} : { before: last.sequence }) }
    const entries = await management.readAudit(filter, page)
    found.push(...entries)
    if (entries.length < count) break
  }
  return found.toReversed()
}

async function* once(entries: readonly AuditEntry[]): AsyncIterable<readonly AuditEntry[]> {
  yield entries
}

async function* follow(
  management: CatalogManagement,
  filter: AuditFilter,
  latest: readonly AuditEntry[],
  signal: AbortSignal,
): AsyncIterable<readonly AuditEntry[]> {
  yield latest
  let after = latest.at(-1)?.sequence ?? 0
  while (!signal.aborted) {
    const { events, next } = await management.readEvents(after, pageEntriesMax, filter)
    after = next
    yield events
    if (events.length === 0) await delay(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}

const columns = [
  'sequence',
  'time',
  'principal',
  'action',
  'kind',
  'name',
  'details',
  'uuid',
  'metadata_before',
  'metadata_after',
  'idempotency_key',
  'transaction_id',
] as const
/** What fits a terminal. */
const shortColumns = 7

async function* rowsOf(
  batches: AsyncIterable<readonly AuditEntry[]>,
): AsyncIterable<readonly (readonly unknown[])[]> {
  for await (const entries of batches) yield entries.map(rowOf)
}

function rowOf(entry: AuditEntry): readonly unknown[] {
  const { sequence, timestampMs, principal, action, on, details, uuid } = entry
  const { metadataBefore, metadataAfter, requestKey, transactionId } = entry
  return [
    sequence,
    new Date(timestampMs).toISOString(),
    principal,
    action,
    on.kind,
    nameOf(on),
    details,
    uuid ?? null,
    metadataBefore ?? null,
    metadataAfter ?? null,
    requestKey ?? null,
    transactionId ?? null,
  ]
}

function nameOf(on: AuditEntry['on']): string | null {
  if ('identifier' in on) return [...on.identifier.namespace, on.identifier.name].join('.')
  return 'namespace' in on ? on.namespace.join('.') : null
}

function parseFilter({ table, namespace, principal, action, since, until }: AuditFlags): AuditFilter {
  if (table !== undefined && namespace !== undefined)
    throw new FloeError('invalid-input', 'both a table and a namespace are given', {
      hint: 'give one of --table and --namespace',
    })
  return {
    ...(table === undefined ? {} : { table: parseTableName(table) }),
    ...(namespace === undefined ? {} : { namespace: parseNamespace(namespace) }),
    ...(principal === undefined ? {} : { principal }),
    ...(action === undefined ? {} : { action }),
    ...(since === undefined ? {} : { sinceMs: parseTime(since) }),
    ...(until === undefined ? {} : { untilMs: parseTime(until) }),
  }
}

function parseTime(text: string): number {
  const agoMs = parseDuration(text)
  const ms = agoMs === undefined ? Date.parse(text) : Math.max(Date.now() - agoMs, 0)
  if (ms >= 0) return ms
  throw new FloeError('invalid-input', `${text} is no time`, {
    hint: 'give such as 30m, 12h or 90d ago, or 2026-01-31T12:00:00Z',
  })
}

function parseLimit(text: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (limit >= 1) return limit
  throw new FloeError('invalid-input', `--limit is ${text}`, { hint: 'give a whole number from 1' })
}
