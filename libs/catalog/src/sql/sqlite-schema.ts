import type { DatabaseSync } from 'node:sqlite'
import { FloeError } from '@floe/iceberg'

/**
 * Each entry brings the store from version `index` to `index + 1`; entries are never changed once released.
 *
 * `path` holds a namespace's levels joined by U+001F. `kind` keeps tables and views in one name space. `outcome` is a
 * `RequestOutcome` as JSON.
 */
const migrations: readonly string[] = [
  `CREATE TABLE namespaces (
     path TEXT PRIMARY KEY,
     parent TEXT REFERENCES namespaces (path),
     properties TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX namespaces_by_parent ON namespaces (parent, path);
   CREATE TABLE relations (
     namespace TEXT NOT NULL REFERENCES namespaces (path),
     name TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
     uuid TEXT NOT NULL,
     metadata_location TEXT NOT NULL,
     previous_metadata_location TEXT,
     version INTEGER NOT NULL,
     PRIMARY KEY (namespace, name)
   ) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX relations_by_uuid ON relations (uuid);`,
  `CREATE TABLE requests (
     key TEXT PRIMARY KEY,
     fingerprint TEXT NOT NULL,
     outcome TEXT NOT NULL,
     finished_at_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX requests_by_time ON requests (finished_at_ms);`,
]

/**
 * Brings the database to the newest version; several processes may do it at once.
 * @throws FloeError unsupported when a newer Floe has written the store
 */
export function migrateSqlite(database: DatabaseSync, path: string): void {
  if (storeVersion(database) === migrations.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    const version = storeVersion(database)
    if (version > migrations.length) throw newerStore(path, version)
    for (const migration of migrations.slice(version)) database.exec(migration)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function storeVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

function newerStore(path: string, version: number): FloeError {
  return new FloeError(
    'unsupported',
    `the catalog at ${path} has store version ${version}, this Floe knows ${migrations.length}`,
    { hint: 'upgrade Floe: an older version must not write this catalog' },
  )
}
