import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type StrictGlue = AsyncDisposable & {
  readonly endpoint: string
  /** Called after each update that went through; `true` cuts the connection instead of answering. */
  loseAnswer: () => boolean
}

/**
 * moto's Glue with what moto leaves out: `UpdateTable` with a `VersionId` that is not the table's is refused, as AWS
 * documents it. Updates come one after the other.
 */
export async function startStrictGlue(moto: string): Promise<StrictGlue> {
  let turn: Promise<unknown> = Promise.resolve()
  const glue = { loseAnswer: () => false }
  const server = createServer((request, response) => {
    turn = turn.then(() => serve(moto, request, response, glue)).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return Object.assign(glue, { endpoint, [Symbol.asyncDispose]: stop })
}

async function serve(
  moto: string,
  request: IncomingMessage,
  response: ServerResponse,
  glue: { readonly loseAnswer: () => boolean },
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const isUpdate = request.headers['x-amz-target'] === 'AWSGlue.UpdateTable'
  if (isUpdate && (await isStale(moto, request, body))) {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(
      JSON.stringify({ __type: 'ConcurrentModificationException', Message: 'Update table failed' }),
    )
    return
  }
  const answer = await pass(moto, request, body)
  if (isUpdate && glue.loseAnswer()) return void response.destroy()
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
  response.end(Buffer.from(await answer.arrayBuffer()))
}

async function isStale(moto: string, request: IncomingMessage, body: Buffer): Promise<boolean> {
  const update = JSON.parse(body.toString()) as {
    DatabaseName: string
    TableInput: { Name: string }
    VersionId?: string
  }
  const question = JSON.stringify({ DatabaseName: update.DatabaseName, Name: update.TableInput.Name })
  const answer = await pass(moto, request, Buffer.from(question), 'AWSGlue.GetTable')
  const { Table } = (await answer.json()) as { Table?: { VersionId?: string } }
  return update.VersionId !== undefined && Table?.VersionId !== update.VersionId
}

function pass(
  moto: string,
  { url, method, headers }: IncomingMessage,
  body: Buffer,
  target: string = String(headers['x-amz-target']),
): Promise<Response> {
  const { authorization = '', 'content-type': type = 'application/x-amz-json-1.1' } = headers
  return fetch(`${moto}${url}`, {
    method: method ?? 'POST',
    headers: { authorization, 'content-type': type, 'x-amz-target': target },
    body: new Uint8Array(body),
  })
}
