import { parseS3Prefix } from './s3-location.ts'

export type SessionGrant = {
  /** The folder of a table; what lies beside it, also with the same beginning, is out of reach. */
  readonly location: string
  readonly access: 'read' | 'write'
  /** Whether writers may delete objects. */
  readonly deletes: boolean
}

/** Characters that policies give a meaning to in resources and conditions. */
const policySyntax = /[*?$]/

/**
 * The IAM policy that limits a session to one folder; `undefined` when the location is a whole bucket, or cannot be
 * written in a policy without meaning more than itself.
 * @param partition  of the ARNs: `aws`, `aws-cn`, `aws-us-gov`
 */
export function sessionPolicy(
  { location, access, deletes }: SessionGrant,
  partition: string,
): string | undefined {
  const { bucket, key } = parseS3Prefix(location)
  const folder = key.replace(/\/+$/, '')
  if (folder === '' || policySyntax.test(bucket) || policySyntax.test(folder)) return undefined
  const bucketArn = `arn:${partition}:s3:::${bucket}`
  const writes = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']
  const actions = [
    's3:GetObject',
    ...(access === 'write' ? writes : []),
    ...(access === 'write' && deletes ? ['s3:DeleteObject'] : []),
  ]
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: actions, Resource: [`${bucketArn}/${folder}/*`] },
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: [bucketArn],
        Condition: { StringLike: { 's3:prefix': [`${folder}/*`] } },
      },
    ],
  })
}

/** Of a role's ARN, or else of the region. */
export function arnPartition(roleArn: string | undefined, region: string): string {
  const ofRole = /^arn:(aws[a-z-]*):/.exec(roleArn ?? '')?.[1]
  if (ofRole !== undefined) return ofRole
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
