import { parseJson } from '@floe/iceberg'
import { runIcebergProgram } from '@floe/peers'
import { describe, expect, it } from 'vitest'
import { fileURLToPath } from 'node:url'
import { serveCatalog } from './catalog-bridge.ts'
import { parseRows, runPython } from './python.ts'

/** Scans planned by the server, against the same scans as other clients plan them from the same metadata. */
const program = fileURLToPath(new URL('../java/ScanPlanning.java', import.meta.url))

async function planAppends(url: string, start: string, end: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/v1/namespaces/planning/tables/partitioned/plan`, {
    method: 'POST',
    body: `{"start-snapshot-id": ${start}, "end-snapshot-id": ${end}}`,
  })
  const plan = parseJson(await response.text()) as {
    readonly 'file-scan-tasks': readonly { readonly 'data-file': { readonly 'file-path': string } }[]
  }
  return plan['file-scan-tasks'].map((task) => task['data-file']['file-path']).toSorted()
}

describe('scans that Java plans through the server', () => {
  it.each([
    ['whole in one answer', {}, []],
    ['in pieces, each in pages', { fileTasksMax: 7, planTasksMax: 5 }, ['/tasks']],
    ['after the request that asked', { planWaitMsMax: 0 }, ['GET /v1/namespaces/planning/tables/many/plan/']],
  ])('have the tasks of its own planning when they come %s', async (_, limits, calls) => {
    await using server = await serveCatalog((store) => ({ planning: { store, ...limits } }))
    const lines = (await runIcebergProgram(program, [server.url]))
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
    const compared = lines.filter(([what]) => what !== 'appended')
    expect(compared.filter(([, outcome]) => outcome !== 'same')).toEqual([])
    expect(compared).toHaveLength(36)
    for (const call of calls) expect(server.requests.some((request) => request.includes(call))).toBe(true)
    if (calls.length > 0) return
    for (const [, start = '', end = '', paths = ''] of lines.filter(([what]) => what === 'appended'))
      expect(await planAppends(server.url, start, end)).toEqual(paths.split(','))
  })
})

describe('scans that PyIceberg plans through the server', () => {
  it.each([
    ['whole', {}],
    ['in pieces', { fileTasksMax: 4, planTasksMax: 3 }],
  ])('have the tasks and the rows of its own planning when they come %s', async (_, limits) => {
    await using server = await serveCatalog((store) => ({ planning: { store, ...limits } }))
    const rows = parseRows(await runPython('scan_planning.py', [server.url]))
    expect(rows.length).toBeGreaterThan(8)
    for (const row of rows) expect(row).toMatchObject({ 'same-tasks': true, 'same-rows': true })
    expect(server.requests.some((request) => request.endsWith('/plan'))).toBe(true)
  })
})
