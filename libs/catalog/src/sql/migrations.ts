/**
 * One step of the store's layout. Entries are appended, never changed or moved once released: a store remembers the
 * ids of those that it has seen. Each dialect has its own text, which may hold several statements or none.
 */
export type Migration = { readonly id: string; readonly sqlite: string; readonly postgres: string }

/**
 * `path` holds a namespace's levels joined by U+001F. `kind` keeps tables and views in one name space. `outcome` is a
 * `RequestOutcome` as JSON. Stores in PostgreSQL begin with `warehouses`. Names there are compared by their bytes, as
 * SQLite does, whatever the collation of the database. Of a grant `object` is the key of what it is on, `grantee` says
 * `principal:` or `role:` and the name, `relation` is a uuid: of a table, to find it under any name, and past its drop.
 * `row_filter` and `masks` are JSON. Flags are 0 or 1. An entry of the audit log has no `sequence` before it is read;
 * `details` is JSON.
 */
export const migrations: readonly Migration[] = [
  {
    id: 'relations',
    sqlite: `
      CREATE TABLE namespaces (
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
    postgres: '',
  },
  {
    id: 'requests',
    sqlite: `
      CREATE TABLE requests (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        outcome TEXT NOT NULL,
        finished_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX requests_by_time ON requests (finished_at_ms);`,
    postgres: '',
  },
  {
    id: 'warehouses',
    sqlite: `
      DROP INDEX namespaces_by_parent;
      DROP INDEX relations_by_uuid;
      DROP INDEX requests_by_time;
      ALTER TABLE namespaces RENAME TO old_namespaces;
      ALTER TABLE relations RENAME TO old_relations;
      ALTER TABLE requests RENAME TO old_requests;
      CREATE TABLE namespaces (
        warehouse TEXT NOT NULL,
        path TEXT NOT NULL,
        parent TEXT,
        properties TEXT NOT NULL,
        PRIMARY KEY (warehouse, path),
        FOREIGN KEY (warehouse, parent) REFERENCES namespaces (warehouse, path)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX namespaces_by_parent ON namespaces (warehouse, parent, path);
      CREATE TABLE relations (
        warehouse TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
        uuid TEXT NOT NULL,
        metadata_location TEXT NOT NULL,
        previous_metadata_location TEXT,
        version INTEGER NOT NULL,
        PRIMARY KEY (warehouse, namespace, name),
        FOREIGN KEY (warehouse, namespace) REFERENCES namespaces (warehouse, path)
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX relations_by_uuid ON relations (uuid);
      CREATE TABLE requests (
        warehouse TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        outcome TEXT NOT NULL,
        finished_at_ms INTEGER NOT NULL,
        PRIMARY KEY (warehouse, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX requests_by_time ON requests (finished_at_ms);
      INSERT INTO namespaces SELECT 'default', path, parent, properties FROM old_namespaces;
      INSERT INTO relations
        SELECT 'default', namespace, name, kind, uuid, metadata_location, previous_metadata_location, version
        FROM old_relations;
      INSERT INTO requests SELECT 'default', key, fingerprint, outcome, finished_at_ms FROM old_requests;
      DROP TABLE old_requests;
      DROP TABLE old_relations;
      DROP TABLE old_namespaces;`,
    postgres: `
      CREATE TABLE namespaces (
        warehouse TEXT COLLATE "C" NOT NULL,
        path TEXT COLLATE "C" NOT NULL,
        parent TEXT COLLATE "C",
        properties TEXT NOT NULL,
        CONSTRAINT namespaces_pkey PRIMARY KEY (warehouse, path),
        CONSTRAINT namespaces_parent_fkey FOREIGN KEY (warehouse, parent) REFERENCES namespaces (warehouse, path)
      );
      CREATE INDEX namespaces_by_parent ON namespaces (warehouse, parent, path);
      CREATE TABLE relations (
        warehouse TEXT COLLATE "C" NOT NULL,
        namespace TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
        uuid TEXT COLLATE "C" NOT NULL,
        metadata_location TEXT NOT NULL,
        previous_metadata_location TEXT,
        version BIGINT NOT NULL,
        CONSTRAINT relations_pkey PRIMARY KEY (warehouse, namespace, name),
        CONSTRAINT relations_namespace_fkey FOREIGN KEY (warehouse, namespace) REFERENCES namespaces (warehouse, path)
      ) WITH (fillfactor = 50);
      CREATE UNIQUE INDEX relations_by_uuid ON relations (uuid);
      CREATE TABLE requests (
        warehouse TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        fingerprint TEXT NOT NULL,
        outcome TEXT NOT NULL,
        finished_at_ms BIGINT NOT NULL,
        CONSTRAINT requests_pkey PRIMARY KEY (warehouse, key)
      );
      CREATE INDEX requests_by_time ON requests (finished_at_ms);`,
  },
  {
    id: 'access',
    sqlite: `
      CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('token', 'client', 'session')),
        principal TEXT NOT NULL,
        roles TEXT NOT NULL,
        secret_hash TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER,
        issued_for TEXT REFERENCES tokens (id) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tokens_by_client ON tokens (issued_for);
      CREATE INDEX tokens_by_expiry ON tokens (expires_at_ms);
      CREATE TABLE grants (
        warehouse TEXT NOT NULL,
        object TEXT NOT NULL,
        grantee TEXT NOT NULL,
        privilege TEXT NOT NULL CHECK (privilege IN ('read', 'write', 'manage')),
        namespace TEXT,
        relation TEXT,
        PRIMARY KEY (warehouse, object, grantee),
        FOREIGN KEY (warehouse, namespace) REFERENCES namespaces (warehouse, path) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX grants_by_grantee ON grants (grantee, warehouse);
      CREATE INDEX grants_by_namespace ON grants (warehouse, namespace);
      CREATE TABLE read_rules (
        warehouse TEXT NOT NULL,
        relation TEXT NOT NULL,
        grantee TEXT NOT NULL,
        row_filter TEXT,
        masks TEXT NOT NULL,
        PRIMARY KEY (warehouse, relation, grantee)
      ) STRICT, WITHOUT ROWID;`,
    postgres: `
      CREATE TABLE tokens (
        id TEXT COLLATE "C" PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('token', 'client', 'session')),
        principal TEXT NOT NULL,
        roles TEXT NOT NULL,
        secret_hash TEXT NOT NULL,
        created_at_ms BIGINT NOT NULL,
        expires_at_ms BIGINT,
        issued_for TEXT COLLATE "C" REFERENCES tokens (id) ON DELETE CASCADE
      );
      CREATE INDEX tokens_by_client ON tokens (issued_for);
      CREATE INDEX tokens_by_expiry ON tokens (expires_at_ms);
      CREATE TABLE grants (
        warehouse TEXT COLLATE "C" NOT NULL,
        object TEXT COLLATE "C" NOT NULL,
        grantee TEXT COLLATE "C" NOT NULL,
        privilege TEXT NOT NULL CHECK (privilege IN ('read', 'write', 'manage')),
        namespace TEXT COLLATE "C",
        relation TEXT COLLATE "C",
        PRIMARY KEY (warehouse, object, grantee),
        FOREIGN KEY (warehouse, namespace) REFERENCES namespaces (warehouse, path) ON DELETE CASCADE
      );
      CREATE INDEX grants_by_grantee ON grants (grantee, warehouse);
      CREATE INDEX grants_by_namespace ON grants (warehouse, namespace);
      CREATE TABLE read_rules (
        warehouse TEXT COLLATE "C" NOT NULL,
        relation TEXT COLLATE "C" NOT NULL,
        grantee TEXT COLLATE "C" NOT NULL,
        row_filter TEXT,
        masks TEXT NOT NULL,
        PRIMARY KEY (warehouse, relation, grantee)
      );`,
  },
  {
    id: 'safety',
    sqlite: `
      ALTER TABLE namespaces ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE relations ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
      CREATE TABLE dropped_relations (
        warehouse TEXT NOT NULL,
        uuid TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        metadata_location TEXT NOT NULL,
        previous_metadata_location TEXT,
        version INTEGER NOT NULL,
        purge INTEGER NOT NULL,
        dropped_by TEXT,
        dropped_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        PRIMARY KEY (warehouse, uuid)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX dropped_relations_by_expiry ON dropped_relations (warehouse, expires_at_ms);
      CREATE TABLE audit_counters (
        warehouse TEXT PRIMARY KEY,
        last_sequence INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE audit_log (
        position INTEGER PRIMARY KEY,
        warehouse TEXT NOT NULL,
        sequence INTEGER,
        at_ms INTEGER NOT NULL,
        principal TEXT,
        action TEXT NOT NULL,
        kind TEXT NOT NULL,
        namespace TEXT,
        name TEXT,
        uuid TEXT,
        metadata_before TEXT,
        metadata_after TEXT,
        request_key TEXT,
        transaction_id TEXT,
        details TEXT
      ) STRICT;
      CREATE INDEX audit_log_to_number ON audit_log (warehouse, position) WHERE sequence IS NULL;
      CREATE UNIQUE INDEX audit_log_by_sequence ON audit_log (warehouse, sequence) WHERE sequence IS NOT NULL;`,
    postgres: `
      ALTER TABLE namespaces ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE relations ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
      CREATE TABLE dropped_relations (
        warehouse TEXT COLLATE "C" NOT NULL,
        uuid TEXT COLLATE "C" NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('table', 'view')),
        namespace TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        metadata_location TEXT NOT NULL,
        previous_metadata_location TEXT,
        version BIGINT NOT NULL,
        purge INTEGER NOT NULL,
        dropped_by TEXT,
        dropped_at_ms BIGINT NOT NULL,
        expires_at_ms BIGINT NOT NULL,
        PRIMARY KEY (warehouse, uuid)
      );
      CREATE INDEX dropped_relations_by_expiry ON dropped_relations (warehouse, expires_at_ms);
      CREATE TABLE audit_counters (
        warehouse TEXT COLLATE "C" PRIMARY KEY,
        last_sequence BIGINT NOT NULL
      );
      CREATE TABLE audit_log (
        position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        warehouse TEXT COLLATE "C" NOT NULL,
        sequence BIGINT,
        at_ms BIGINT NOT NULL,
        principal TEXT COLLATE "C",
        action TEXT NOT NULL,
        kind TEXT NOT NULL,
        namespace TEXT COLLATE "C",
        name TEXT COLLATE "C",
        uuid TEXT COLLATE "C",
        metadata_before TEXT,
        metadata_after TEXT,
        request_key TEXT,
        transaction_id TEXT,
        details TEXT
      );
      CREATE INDEX audit_log_to_number ON audit_log (warehouse, position) WHERE sequence IS NULL;
      CREATE UNIQUE INDEX audit_log_by_sequence ON audit_log (warehouse, sequence) WHERE sequence IS NOT NULL;`,
  },
]
