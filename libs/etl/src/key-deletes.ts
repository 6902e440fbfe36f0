import type { DataFile } from '@floe/iceberg'
import type { ColumnBatch } from '@floe/parquet'
import { FileRoller, parseWriteSettings } from '@floe/writer/data-files'
import type { FileRollerComponents } from '@floe/writer/data-files'
import type { LoadTaskInput } from './load-task.ts'

/**
 * The keys of rows as equality deletes. In the snapshot that adds the rows they take away older rows of the same keys
 * and leave the new ones: a delete applies to data of lower sequence numbers only (spec "Scan Planning").
 */
export class KeyDeletes {
  readonly #roller: FileRoller
  readonly #keyFieldIds: readonly number[]

  /** `undefined` for a load that takes no rows away. */
  static open(target: LoadTaskInput['target'], files: FileRollerComponents): KeyDeletes | undefined {
    return target.deletes === undefined ? undefined : new KeyDeletes(target, target.deletes, files)
  }

  private constructor(
    { schema, fileSchema, tableLocation, properties }: LoadTaskInput['target'],
    { spec, keyFieldIds }: NonNullable<LoadTaskInput['target']['deletes']>,
    files: FileRollerComponents,
  ) {
    const write = parseWriteSettings(properties)
    const keySchema = {
      ...fileSchema,
      fields: fileSchema.fields.filter(({ id }) => keyFieldIds.includes(id)),
    }
    this.#keyFieldIds = keyFieldIds
    this.#roller = new FileRoller(
      {
        schema,
        fileSchema: keySchema,
        spec,
        partition: [],
        location: { tableLocation, settings: write },
        write,
      },
      { ...files, nextFileName: () => files.nextFileName().replace(/\.parquet$/, '-deletes.parquet') },
    )
  }

  async write({ rowCount, columns }: ColumnBatch): Promise<void> {
    await this.#roller.write({
      rowCount,
      columns: columns.filter(({ fieldId }) => this.#keyFieldIds.includes(fieldId)),
    })
  }

  async finish(): Promise<readonly DataFile[]> {
    const files = await this.#roller.finish()
    return files.map((file) => ({ ...file, content: 'equality-deletes', equalityIds: this.#keyFieldIds }))
  }

  abort(): Promise<void> {
    return this.#roller.abort()
  }
}
