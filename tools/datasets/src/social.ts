import { readFile } from 'node:fs/promises'
import { Client } from 'pg'

/** Runs docker/postgres/init.sql: the schema `social` with users, posts, follows and likes. */
export async function fillSocial(url: string): Promise<void> {
  const sql = await readFile(new URL('../../../docker/postgres/init.sql', import.meta.url), 'utf8')
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
