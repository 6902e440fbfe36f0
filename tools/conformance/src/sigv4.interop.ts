import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { openRestCatalog } from '@floe/catalog/rest'
import { installPyIcebergGlue } from '@floe/peers'
import { expect, it } from 'vitest'

type Signed = { method: string; url: string; headers: IncomingMessage['headers']; body: string }

/** The signature that botocore would have given a request. */
async function signatureOf(request: Signed, keys: Readonly<Record<string, string>>): Promise<string> {
  const script = fileURLToPath(new URL('../python/verify_sigv4.py', import.meta.url))
  const child = spawn(await installPyIcebergGlue(), [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify({ ...request, ...keys }))
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  return output.trim()
}

it('a request to Glue or S3 Tables is signed as botocore signs it, odd names and bodies included', async () => {
  const seen: Signed[] = []
  const prefix = 'arn%3Aaws%3As3tables%3Aus-east-1%3A123%3Abucket%2Flake'
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method = '', headers } = request
      seen.push({ method, url: `http://${headers.host}${request.url}`, headers, body })
      const isConfig = request.url?.startsWith('/iceberg/v1/config') === true
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isConfig ? { overrides: { prefix } } : { namespaces: [], properties: {} }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/iceberg`
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  }
  const auth = { kind: 'sigv4', signingName: 's3tables', region: 'eu-west-1', credentials } as const
  const catalog = await openRestCatalog({ uri, auth, warehouse: 'arn:aws:s3tables:x/y z+1' })
  await catalog.listNamespaces(['a b', 'ü/%'])
  await catalog.loadNamespace(['a b+c', "d'e~(f)*!"])
  await catalog.createNamespace(['naïve'], { owner: 'ann "the" boss' })
  const keys = {
    service: 's3tables',
    region: 'eu-west-1',
    access_key: credentials.accessKeyId,
    secret_key: credentials.secretAccessKey,
  }
  expect(seen).toHaveLength(4)
  for (const request of seen) {
    const [, sent] = /Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '') ?? []
    expect(await signatureOf(request, keys)).toBe(sent)
  }
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
