export type { LoadTaskInput, LoadTaskProgress, LoadTaskResult } from '../load-task.ts'
export { loadRows } from '../load.task.ts'
