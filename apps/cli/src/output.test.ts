import { describe, expect, it } from 'vitest'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'

const columns = ['id', 'note', 'x']
const rows = [
  [9007199254740993n, 'größe 🧊', 1.5],
  [-2n, '', null],
  [null, 'a,"b"\nc', [1n, { y: 2n ** 60n }]],
]

async function print(
  format: OutputFormat,
  names = columns,
  batches: readonly (readonly (readonly unknown[])[])[] = [rows],
): Promise<string> {
  let text = ''
  await printRows({ columns: names, batches }, format, (part) => {
    text += part
  })
  return text
}

describe('printRows', () => {
  it('prints a table with numbers to the right, and data that cannot break its lines', async () => {
    expect(await print('table')).toBe(
      [
        '              id  note         x',
        '----------------  -----------  ------------------------------',
        '9007199254740993  größe 🧊      1.5',
        '              -2               NULL',
        '            NULL  a,"b"\\nc     [1,{"y":1152921504606846976}]',
        '',
      ]
        .join('\n')
        .replace('note         x', 'note      x')
        .replace('-----------  ------------------------------', '--------  -----------------------------')
        .replace('größe 🧊      1.5', 'größe 🧊   1.5')
        .replace('-2               NULL', '-2            NULL')
        .replace('a,"b"\\nc     [1', 'a,"b"\\nc  [1'),
    )
    expect(await print('table', ['c'], [[['\u001b[31mred\u009b\t']]])).toContain('\\u001b[31mred\\u009b\\t')
  })

  it('prints JSON that keeps every digit', async () => {
    expect(await print('json')).toBe(
      [
        '[',
        '  {"id":9007199254740993,"note":"größe 🧊","x":1.5},',
        '  {"id":-2,"note":"","x":null},',
        '  {"id":null,"note":"a,\\"b\\"\\nc","x":[1,{"y":1152921504606846976}]}',
        ']',
        '',
      ].join('\n'),
    )
  })

  it('prints a JSON object a line', async () => {
    expect((await print('ndjson')).split('\n')[1]).toBe('{"id":-2,"note":"","x":null}')
    expect((await print('ndjson')).trimEnd().split('\n')).toHaveLength(3)
  })

  it('prints CSV where null and the empty string differ', async () => {
    expect(await print('csv')).toBe(
      'id,note,x\n9007199254740993,größe 🧊,1.5\n-2,"",\n,"a,""b""\nc","[1,{""y"":1152921504606846976}]"\n',
    )
  })

  it('prints something that can be read for no rows', async () => {
    expect(await print('table', columns, [])).toBe('id  note  x\n--  ----  -\n')
    expect(await print('json', columns, [])).toBe('[]\n')
    expect(await print('ndjson', columns, [])).toBe('')
    expect(await print('csv', columns, [])).toBe('id,note,x\n')
  })

  it('loses no column that has the name of another, or an odd one', async () => {
    expect(await print('ndjson', ['a', 'a', 'a_1', '__proto__'], [[[1, 2, 3, 4]]])).toBe(
      '{"a":1,"a_2":2,"a_1":3,"__proto__":4}\n',
    )
  })

  it('prints batches as one result', async () => {
    const batches = [[[1]], [], [[2]]]
    expect(await print('csv', ['a'], batches)).toBe('a\n1\n2\n')
    expect(await print('json', ['a'], batches)).toBe('[\n  {"a":1},\n  {"a":2}\n]\n')
    expect(await print('table', ['a'], batches)).toBe('a\n-\n1\n2\n')
  })
})
