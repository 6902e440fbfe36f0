import { expect, it } from 'vitest'
import { isWarehouseName } from './warehouse-name.ts'

it('is one plain path segment that is no other resource', () => {
  expect(['config', 'namespaces', 'a/b', '..', '', 'a b', '%6C'].filter(isWarehouseName)).toEqual([])
  expect(['default', 'rck_warehouse', 'a.b-c', '2026'].filter(isWarehouseName)).toHaveLength(4)
})
