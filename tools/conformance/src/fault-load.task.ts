import type { TaskContext } from '@floe/compute'
import { loadRows } from '@floe/etl/testing'
import type { LoadTaskInput, LoadTaskProgress, LoadTaskResult } from '@floe/etl/testing'
import { openObjectStore } from '@floe/storage'
import { faultStore } from '@floe/testing'
import { faultPlan } from './planned-fault.ts'
import type { PlannedFault } from './planned-fault.ts'

export type FaultLoadInput = { readonly load: LoadTaskInput; readonly fault: PlannedFault }

/** The worker of a load, on a store that fails as planned. */
export default async function runFaultLoad(
  { load, fault }: FaultLoadInput,
  context: TaskContext<LoadTaskProgress>,
): Promise<LoadTaskResult> {
  await using store = openObjectStore(load.store)
  return await loadRows(load, context, faultStore(store, faultPlan(fault)))
}
