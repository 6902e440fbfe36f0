import { describe, expect, it } from 'vitest'

import { arnPartition, sessionPolicy } from './session-policy.ts'

type Policy = {
  readonly Statement: readonly {
    readonly Action: readonly string[]
    readonly Resource: readonly string[]
    readonly Condition?: unknown
  }[]
}

function policy(location: string, access: 'read' | 'write', deletes = true): Policy {
  return JSON.parse(sessionPolicy({ location, access, deletes }, 'aws') ?? 'null') as Policy
}

describe('the policy of a session', () => {
  it('ends its folder in a slash, so that a folder beside it with the same beginning is out of reach', () => {
    for (const location of ['s3://lake/ns/t-1', 's3://lake/ns/t-1/', 's3a://lake/ns/t-1']) {
      const [objects, list] = policy(location, 'read').Statement
      expect(objects?.Resource).toEqual(['arn:aws:s3:::lake/ns/t-1/*'])
      expect(list?.Condition).toEqual({ StringLike: { 's3:prefix': ['ns/t-1/*'] } })
      expect(list?.Resource).toEqual(['arn:aws:s3:::lake'])
    }
  })

  it('reads with GetObject alone, and deletes only where that is allowed', () => {
    const actions = (access: 'read' | 'write', deletes: boolean): readonly string[] =>
      policy('s3://lake/t', access, deletes).Statement[0]?.Action ?? []
    expect(actions('read', true)).toEqual(['s3:GetObject'])
    expect(actions('write', true)).toContain('s3:DeleteObject')
    expect(actions('write', false)).toContain('s3:PutObject')
    expect(actions('write', false)).not.toContain('s3:DeleteObject')
  })

  it.each(['s3://lake', 's3://lake/', 's3://lake/ns/*', 's3://lake/ns/t?', 's3://lake/ns/${aws:username}'])(
    'cannot be written for %s',
    (location) => {
      expect(sessionPolicy({ location, access: 'read', deletes: true }, 'aws')).toBeUndefined()
    },
  )

  it('takes quotes in a location for what they are', () => {
    const tricky = 's3://lake/a"],"Resource":["arn:aws:s3:::lake/b'
    expect(policy(tricky, 'read').Statement[0]?.Resource).toEqual([`arn:aws:s3:::${tricky.slice(5)}/*`])
  })

  it('speaks of the partition of the role, or of the region', () => {
    expect(arnPartition('arn:aws-cn:iam::1:role/x', 'us-east-1')).toBe('aws-cn')
    expect(arnPartition(undefined, 'us-gov-west-1')).toBe('aws-us-gov')
    expect(arnPartition('arn:minio:iam:::role/x', 'us-east-1')).toBe('aws')
  })
})
