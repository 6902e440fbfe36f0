/** Tables that tests write file by file, for suites of other packages. */
export { DirectAccess, prepareDirectFiles } from './direct-access.ts'
export { openSession, readRows } from './duckdb-session.ts'
export { openLake, readAll } from './lake-fixture.ts'
export type { Lake } from './lake-fixture.ts'
export { RandomTable, stepsArbitrary } from './random-table-fixture.ts'
