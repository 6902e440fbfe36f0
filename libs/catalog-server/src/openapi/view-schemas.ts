import type { JsonObject } from '@floe/iceberg'
import { integer, list, long, object, ref, text, texts, variants } from './json-schema.ts'

export const viewSchemas: Readonly<Record<string, JsonObject>> = {
  ViewVersion: object(
    {
      'version-id': integer,
      'timestamp-ms': long,
      'schema-id': integer,
      summary: texts,
      representations: list(ref('SqlRepresentation')),
      'default-namespace': list(text),
    },
    { 'default-catalog': text },
  ),
  SqlRepresentation: object({ type: { const: 'sql' }, sql: text, dialect: text }),
  ViewRequirement: variants('type', { 'assert-view-uuid': { uuid: text } }),
  ViewUpdate: variants('action', {
    'assign-uuid': { uuid: text },
    'upgrade-format-version': { 'format-version': { const: 1 } },
    'add-schema': { schema: ref('Schema') },
    'set-location': { location: text },
    'set-properties': { updates: texts },
    'remove-properties': { removals: list(text) },
    'add-view-version': { 'view-version': ref('ViewVersion') },
    'set-current-view-version': { 'view-version-id': integer },
  }),
}
