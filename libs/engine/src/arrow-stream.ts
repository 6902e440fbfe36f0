import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api'
import { Field, makeData, RecordBatch, Schema, Struct, Table, tableToIPC } from 'apache-arrow'

import { arrowColumn } from './arrow-column.ts'
import { arrowType } from './arrow-type.ts'

/** End of a stream: a continuation mark and no length (Arrow "IPC Streaming Format"). */
const endBytes = 8

/** The messages of an Arrow stream, one after the other: each batch is in memory alone. */
export class ArrowStream {
  readonly #schema: Schema
  readonly #schemaMessage: Uint8Array
  readonly #end: Uint8Array
  readonly #types: ReturnType<DuckDBResult['columnTypes']>

  /** @param metadata  goes with the schema, for readers that look for it */
  constructor(result: DuckDBResult, metadata: ReadonlyMap<string, string>) {
    this.#types = result.columnTypes()
    const names = result.columnNames()
    const fields = this.#types.map((type, at) => new Field(names[at] ?? '', arrowType(type), true))
    this.#schema = new Schema(fields, new Map(metadata))
    const empty = tableToIPC(new Table(this.#schema), 'stream')
    this.#schemaMessage = empty.subarray(0, -endBytes)
    this.#end = empty.subarray(-endBytes)
  }

  head(): Uint8Array {
    return this.#schemaMessage
  }

  /** The message of some rows of a chunk. */
  batch(chunk: DuckDBDataChunk, rows: number): Uint8Array {
    const children = this.#types.map((type, at) =>
      arrowColumn(type, chunk.getColumnValues(at).slice(0, rows)),
    )
    const type = new Struct(this.#schema.fields)
    const data = makeData({ type, length: rows, nullCount: 0, children: children as never })
    const table = new Table(this.#schema, [new RecordBatch(this.#schema, data)])
    // A stream of its own, less what it shares with the one that this is: dictionaries there are none.
    return tableToIPC(table, 'stream').subarray(this.#schemaMessage.length, -endBytes)
  }

  end(): Uint8Array {
    return this.#end
  }
}
