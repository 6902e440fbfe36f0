import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPyIceberg, startLineProcess } from '@floe/peers'
import { filePathToLocation, locationToFilePath, openObjectStore } from '@floe/storage'
import { writeLargeTable } from '@floe/testing'
import { summarise } from '../measurement.ts'
import type { VariantResult } from '../measurement.ts'

export const planners = ['floe', 'pyiceberg'] as const
export type Planner = (typeof planners)[number]

type PlanOptions = {
  readonly folder: string
  readonly planners: readonly Planner[]
  readonly files: number
  readonly runs: number
  readonly log: (text: string) => void
}

const filesPerManifest = 500
const columns = 16

/** Plans a scan of one row out of a table of many files, from its metadata file on. */
export async function measurePlanning(options: PlanOptions): Promise<readonly VariantResult[]> {
  const { folder, files, runs, log } = options
  const store = openObjectStore()
  const location = filePathToLocation(path.join(folder, `files-${files}`))
  const { metadataLocation } = await writeLargeTable(store, { location, files, filesPerManifest, columns })
  await store.close()
  const processes = []
  try {
    for (const planner of options.planners) {
      const figures: Record<string, number>[] = []
      processes.push({ planner, figures, process: await startPlanner(planner) })
    }
    for (let run = 0; run <= runs; run++) {
      for (const { planner, figures, process } of processes) {
        const metadata = planner === 'floe' ? metadataLocation : locationToFilePath(metadataLocation)
        const measured = (await process.ask({ metadata, id: 1000 * (files - run) - 1 })) as Record<
          string,
          number
        >
        log(`plan ${planner}: ${JSON.stringify(measured)}`)
        if (run > 0) figures.push(measured)
      }
    }
    return processes.map(({ planner, figures }) => summarise(`plan ${planner}`, figures))
  } finally {
    for (const { process } of processes) await process[Symbol.asyncDispose]()
  }
}

async function startPlanner(planner: Planner): Promise<ReturnType<typeof startLineProcess>> {
  if (planner === 'floe')
    return startLineProcess(process.execPath, [fileURLToPath(new URL('./plan-process.ts', import.meta.url))])
  const script = fileURLToPath(new URL('../../python/plan_files.py', import.meta.url))
  return startLineProcess(await installPyIceberg(), [script])
}
