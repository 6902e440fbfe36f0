import { partitionSpecToJson, schemaToJson, sortOrderToJson } from '@floe/iceberg'
import { tableRequirementToJson, tableUpdateToJson } from '@floe/iceberg'
import { viewRequirementToJson, viewUpdateToJson, viewVersionToJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { TableChange, TableDefinition, TableIdentifier, ViewCommit, ViewDefinition } from '../catalog.ts'

/** Spec `CreateTableRequest`. */
export function tableDefinitionToJson(
  name: string,
  definition: TableDefinition,
  staged: boolean,
): JsonObject {
  const { schema, partitionSpec, sortOrder, location, properties } = definition
  return {
    name,
    schema: schemaToJson(schema),
    'stage-create': staged,
    ...(partitionSpec === undefined ? {} : { 'partition-spec': partitionSpecToJson(partitionSpec) }),
    ...(sortOrder === undefined ? {} : { 'write-order': sortOrderToJson(sortOrder) }),
    ...(location === undefined ? {} : { location }),
    ...(properties === undefined ? {} : { properties }),
  }
}

/** Spec `CommitTableRequest`. */
export function tableChangeToJson({ identifier, requirements, updates }: TableChange): JsonObject {
  return {
    identifier: identifierToJson(identifier),
    requirements: requirements.map(tableRequirementToJson),
    updates: updates.map(tableUpdateToJson),
  }
}

/** Spec `CreateViewRequest`. */
export function viewDefinitionToJson(name: string, definition: ViewDefinition): JsonObject {
  const { schema, version, location, properties } = definition
  return {
    name,
    schema: schemaToJson(schema),
    'view-version': viewVersionToJson(version),
    properties: properties ?? {},
    ...(location === undefined ? {} : { location }),
  }
}

/** Spec `CommitViewRequest`. */
export function viewCommitToJson(identifier: TableIdentifier, commit: ViewCommit): JsonObject {
  return {
    identifier: identifierToJson(identifier),
    requirements: commit.requirements.map(viewRequirementToJson),
    updates: commit.updates.map(viewUpdateToJson),
  }
}

export function identifierToJson({ namespace, name }: TableIdentifier): JsonObject {
  return { namespace, name }
}
