/** @module Chunks to batches, without what plans them: all that a worker of a load reads of this package. */
export { openSourceReader } from './open-source-reader.ts'
