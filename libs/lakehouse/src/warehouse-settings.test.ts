import { describe, expect, it } from 'vitest'
import { parseWarehouses, warehouseLocations } from './warehouse-settings.ts'

const named = { sales: 'file:sales', logs: 's3://lake/logs/' }
const sales = { name: 'sales', location: 'file:///home/lake/sales' }
const logs = { name: 'logs', location: 's3://lake/logs' }

function parse(chosen: string | undefined, locations?: Readonly<Record<string, string>>): unknown {
  return parseWarehouses(chosen, locations, '/home/lake')
}

describe('the warehouses of the settings', () => {
  it('are one below .floe, or at the location given, when none is named', () => {
    expect(parse(undefined)).toEqual([{ name: 'default', location: 'file:///home/lake/.floe/warehouse' }])
    expect(parse('s3://lake/w')).toEqual([{ name: 'default', location: 's3://lake/w' }])
    expect(parse('folder')).toEqual([{ name: 'default', location: 'file:///home/lake/folder' }])
  })

  it('start with the chosen one, by name or location, or with the first of the file', () => {
    expect(parse(undefined, named)).toEqual([sales, logs])
    expect(parse('logs', named)).toEqual([logs, sales])
    expect(parse('s3://lake/logs', named)).toEqual([logs, sales])
    expect(parse('file:/home/lake/sales', named)).toEqual([sales, logs])
  })

  it('have one more, called default, at a location that none of them has', () => {
    expect(parse('file:other', named)).toEqual([
      { name: 'default', location: 'file:///home/lake/other' },
      sales,
      logs,
    ])
    expect(() => parse('file:other', { default: 'file:here' })).toThrow(
      expect.objectContaining({ code: 'invalid-input' }),
    )
  })

  it('do not take a misspelt name for a folder', () => {
    expect(() => parse('salse', named)).toThrow(expect.objectContaining({ code: 'not-found' }))
  })

  it.each(['config', 'a/b', '', 'a b', '..'])('cannot be called %j', (name) => {
    expect(warehouseLocations.safeParse({ [name]: 'file:x' }).success).toBe(false)
  })
})
