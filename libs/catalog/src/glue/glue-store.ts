import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  paginateGetDatabases,
  paginateGetTables,
  UpdateDatabaseCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import type { Database, GlueClient, Table, TableInput } from '@aws-sdk/client-glue'
import type { Namespace, TableIdentifier } from '../catalog.ts'
import { noSuchNamespace } from '../catalog-error.ts'
import { formatIdentifier, formatNamespace } from '../identifier.ts'
import { databaseInput, databaseName, namespaceProperties } from './glue-database.ts'
import { exceptionName, glueError } from './glue-error.ts'

type Properties = Readonly<Record<string, string>>

/** Requests to one Glue catalog. What is not there is `undefined` or `false`, everything else a `FloeError`. */
export class GlueStore {
  readonly #client: GlueClient
  readonly #catalog: { readonly CatalogId?: string }

  constructor(client: GlueClient, catalogId: string | undefined) {
    this.#client = client
    this.#catalog = catalogId === undefined ? {} : { CatalogId: catalogId }
  }

  async listNamespaces(): Promise<readonly Namespace[]> {
    const found: Namespace[] = []
    await reading('list databases', async () => {
      for await (const page of paginateGetDatabases({ client: this.#client }, this.#catalog))
        for (const { Name } of page.DatabaseList ?? []) if (Name !== undefined) found.push([Name])
    })
    return found
  }

  async findNamespace(namespace: Namespace): Promise<Properties | undefined> {
    const Name = databaseName(namespace)
    if (Name === undefined) return undefined
    const action = `read database ${formatNamespace(namespace)}`
    const database = await ifFound<Database | undefined>(action, 'read', async () => {
      const answer = await this.#client.send(new GetDatabaseCommand({ ...this.#catalog, Name }))
      return answer.Database
    })
    return database === undefined ? undefined : namespaceProperties(database)
  }

  /** `false` when there is one of that name. */
  async insertNamespace(name: string, properties: Properties): Promise<boolean> {
    const command = new CreateDatabaseCommand({
      ...this.#catalog,
      DatabaseInput: databaseInput(name, properties),
    })
    return unlessExists(`create database ${name}`, () => this.#client.send(command))
  }

  async updateNamespace(name: string, properties: Properties): Promise<void> {
    const command = new UpdateDatabaseCommand({
      ...this.#catalog,
      Name: name,
      DatabaseInput: databaseInput(name, properties),
    })
    await ifFound(`change database ${name}`, 'change', () => this.#client.send(command))
  }

  /** The database with everything in it. `false` when there is none. */
  async deleteNamespace(name: string): Promise<boolean> {
    const command = new DeleteDatabaseCommand({ ...this.#catalog, Name: name })
    const answer = await ifFound(`drop database ${name}`, 'change', () => this.#client.send(command))
    return answer !== undefined
  }

  /** Every table of the database, whatever its format. */
  async listTables(namespace: Namespace): Promise<readonly Table[]> {
    const found: Table[] = []
    const DatabaseName = databaseName(namespace)
    const input = { ...this.#catalog, DatabaseName }
    const action = `list the tables of ${formatNamespace(namespace)}`
    const isThere = await ifFound(action, 'read', async () => {
      for await (const page of paginateGetTables({ client: this.#client }, input))
        found.push(...(page.TableList ?? []))
      return true
    })
    if (isThere === undefined) throw noSuchNamespace(namespace)
    return found
  }

  async findTable(identifier: TableIdentifier): Promise<Table | undefined> {
    const DatabaseName = databaseName(identifier.namespace)
    if (DatabaseName === undefined) return undefined
    const command = new GetTableCommand({ ...this.#catalog, DatabaseName, Name: identifier.name })
    return ifFound(`read table ${formatIdentifier(identifier)}`, 'read', async () => {
      const answer = await this.#client.send(command)
      return answer.Table
    })
  }

  /** `false` when there is a table of that name. @throws FloeError not-found when there is no such database */
  async insertTable(identifier: TableIdentifier, input: TableInput): Promise<boolean> {
    const command = new CreateTableCommand({
      ...this.#catalog,
      DatabaseName: databaseName(identifier.namespace),
      TableInput: input,
    })
    const action = `create table ${formatIdentifier(identifier)}`
    const outcome = await ifFound(action, 'change', () =>
      unlessExists(action, () => this.#client.send(command)),
    )
    if (outcome === undefined) throw noSuchNamespace(identifier.namespace)
    return outcome
  }

  /** Only while the table is at that version. @throws what Glue throws, for the caller to judge */
  async swapTable(identifier: TableIdentifier, versionId: string, input: TableInput): Promise<void> {
    await this.#client.send(
      new UpdateTableCommand({
        ...this.#catalog,
        DatabaseName: databaseName(identifier.namespace),
        TableInput: input,
        VersionId: versionId,
        // Every version is a copy of the table, their number is limited, and Iceberg has its own history.
        SkipArchive: true,
      }),
    )
  }

  /** `false` when there is no such table. */
  async deleteTable(identifier: TableIdentifier): Promise<boolean> {
    const DatabaseName = databaseName(identifier.namespace)
    if (DatabaseName === undefined) return false
    const command = new DeleteTableCommand({ ...this.#catalog, DatabaseName, Name: identifier.name })
    const action = `drop table ${formatIdentifier(identifier)}`
    return (await ifFound(action, 'change', () => this.#client.send(command))) !== undefined
  }

  close(): void {
    this.#client.destroy()
  }
}

async function reading<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw glueError(error, action, 'read')
  }
}

async function ifFound<T>(
  action: string,
  effect: 'read' | 'change',
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (exceptionName(error) === 'EntityNotFoundException') return undefined
    throw glueError(error, action, effect)
  }
}

async function unlessExists(action: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    const name = exceptionName(error)
    if (name === 'AlreadyExistsException') return false
    if (name === 'EntityNotFoundException') throw error
    throw glueError(error, action, 'change')
  }
}
