import { describe, expect, it } from 'vitest'

import { inspectS3Request, parseS3Uri } from './s3-request.ts'
import type { S3Request } from './s3-request.ts'

const endpoint = 'http://store.test:9000'

function inspect(
  method: string,
  uri: string,
  rest: Partial<S3Request> = {},
): ReturnType<typeof inspectS3Request> {
  const full = uri.startsWith('http') ? uri : `${endpoint}${uri}`
  return inspectS3Request({ method, uri: full, headers: {}, ...rest }, parseS3Uri(full, endpoint))
}

const refusal = expect.objectContaining({ code: 'permission-denied' }) as unknown

describe('a request to S3', () => {
  it.each([
    ['GET', '/lake/t/data/a.parquet', 'read', ['s3://lake/t/data/a.parquet']],
    ['HEAD', '/lake/t/a%20b%2Bc', 'read', ['s3://lake/t/a b+c']],
    ['GET', '/lake/t/a.parquet?x-id=GetObject', 'read', ['s3://lake/t/a.parquet']],
    ['GET', '/lake?list-type=2&prefix=t%2Fdata%2F&delimiter=%2F', 'read', ['s3://lake/t/data/']],
    ['PUT', '/lake/t/day=2024-01-01/a', 'write', ['s3://lake/t/day=2024-01-01/a']],
    ['PUT', '/lake/t/a?partNumber=1&uploadId=x', 'write', ['s3://lake/t/a']],
    ['POST', '/lake/t/a?uploads', 'write', ['s3://lake/t/a']],
    ['POST', '/lake/t/a?uploadId=x', 'write', ['s3://lake/t/a']],
    ['DELETE', '/lake/t/a?uploadId=x', 'write', ['s3://lake/t/a']],
    ['DELETE', '/lake/t/a', 'delete', ['s3://lake/t/a']],
    ['GET', 'http://lake.store.test:9000/t/a', 'read', ['s3://lake/t/a']],
    ['GET', '/lake/t%2Fa', 'read', ['s3://lake/t/a']],
    ['GET', '/lake/t/%252e%252e/a', 'read', ['s3://lake/t/%2e%2e/a']],
  ])('that is %s %s does %s to %j', (method, uri, action, locations) => {
    expect(inspect(method, uri)).toEqual({ action, locations })
  })

  it.each([
    ['GET', 'http://elsewhere.test/lake/t/a'],
    ['GET', 'http://store.test:9000@elsewhere.test/lake/t/a'],
    ['GET', 'http://store.test:9001/lake/t/a'],
    ['GET', 'ftp://store.test:9000/lake/t/a'],
    ['GET', '/lake/t/../other/a'],
    ['GET', '/lake/t/%2e%2e/other/a'],
    ['GET', '/lake/t%2F..%2Fother/a'],
    ['GET', '/lake/t/./a'],
    ['GET', '/lake/t\\..\\other'],
    ['GET', '/lake/t/%5C..%5Cother'],
    ['GET', '/lake/t/a%00b'],
    ['GET', '/lake/t/%ff'],
    ['GET', '/lake/t/a#/../../x'],
    ['GET', '/'],
    ['GET', '/lake'],
    ['GET', '/lake?list-type=2'],
    ['GET', '/lake?prefix=t%2F&prefix=other%2F'],
    ['GET', '/lake?prefix=t%2F&policy'],
    ['GET', '/lake/t/a?acl'],
    ['PUT', '/lake/t/a?acl'],
    ['PUT', '/lake/t/a?tagging'],
    ['PUT', '/lake?policy'],
    ['PUT', '/lake'],
    ['DELETE', '/lake'],
    ['POST', '/lake?delete'],
    ['PATCH', '/lake/t/a'],
    ['OPTIONS', '/lake/t/a'],
  ])('that is %s %s is never signed', (method, uri) => {
    expect(() => inspect(method, uri)).toThrow(refusal as Error)
  })

  it('reads what it copies', () => {
    const headers = { 'X-Amz-Copy-Source': ['/lake/other%2Fsecret'] }
    expect(inspect('PUT', '/lake/t/a', { headers }).locations).toEqual([
      's3://lake/t/a',
      's3://lake/other/secret',
    ])
  })

  it.each([
    ['x-amz-acl', 'public-read'],
    ['x-amz-grant-read', 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'],
    ['x-amz-bypass-governance-retention', 'true'],
    ['x-amz-website-redirect-location', 'http://elsewhere.test'],
  ])('with the header %s: %s is never signed', (name, value) => {
    expect(() => inspect('PUT', '/lake/t/a', { headers: { [name]: [value] } })).toThrow(refusal as Error)
  })

  it.each([
    ['https://lake.s3.eu-central-1.amazonaws.com/t/a', 'lake'],
    ['https://s3.eu-central-1.amazonaws.com/lake/t/a', 'lake'],
    ['https://a.b.s3.dualstack.us-west-2.amazonaws.com/t/a', 'a.b'],
    ['https://lake.s3.cn-north-1.amazonaws.com.cn/t/a', 'lake'],
    ['https://lake.s3.amazonaws.com:443/t/a', 'lake'],
  ])('to %s is one to the bucket %s of AWS', (uri, bucket) => {
    expect(parseS3Uri(uri, undefined)).toMatchObject({ bucket, key: 't/a' })
  })

  it.each([
    'https://lake.s3.amazonaws.com.evil.test/t/a',
    'https://sts.amazonaws.com/t/a',
    'https://evil.test/lake/t/a',
  ])('to %s is none to AWS', (uri) => expect(() => parseS3Uri(uri, undefined)).toThrow(refusal as Error))
})

describe('DeleteObjects', () => {
  const remove = (body: string): readonly string[] => inspect('POST', '/lake?delete', { body }).locations

  it('names its objects, with references decoded', () => {
    const body =
      '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Object><Key>t/a&amp;b</Key></Object><Object><Key>t/&#x41;&#66;</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>'
    expect(remove(body)).toEqual(['s3://lake/t/a&b', 's3://lake/t/AB'])
  })

  it.each([
    ['a comment', '<Delete><!-- --><Object><Key>t/a</Key></Object></Delete>'],
    ['CDATA', '<Delete><Object><Key><![CDATA[other/a]]></Key></Object></Delete>'],
    [
      'an entity of its own',
      '<!DOCTYPE d [<!ENTITY e "other/a">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    ],
    ['an unknown reference', '<Delete><Object><Key>t/&e;</Key></Object></Delete>'],
    ['two keys in one object', '<Delete><Object><Key>t/a</Key><Key>other/a</Key></Object></Delete>'],
    ['another name space', '<Delete xmlns:x="y"><x:Object><Key>other/a</Key></x:Object></Delete>'],
    ['something after it', '<Delete><Object><Key>t/a</Key></Object></Delete><Delete/>'],
    ['a key that climbs', '<Delete><Object><Key>t/../other/a</Key></Object></Delete>'],
    ['no key', '<Delete></Delete>'],
    ['no XML', 't/a'],
  ])('with %s is refused', (_, body) => {
    expect(() => remove(body)).toThrow(refusal as Error)
  })
})
