import type { Archive } from '../catalog/archive.ts'
import type { Identity, StorageLook } from '../storage/port.ts'
import type { Finding } from './finding.ts'
import { fail, ok, warn } from './finding.ts'
import type { Needs } from './purpose.ts'

/** S3 refuses requests with a time that is further off (RequestTimeTooSkewed). */
const SKEW_REFUSED_MS = 15 * 60_000
const SKEW_ODD_MS = 60_000

export function judgeIdentity({ accessKeyId, accountId, foundIn }: Identity): Finding {
  const account = accountId === undefined ? '' : ` of account ${accountId}`
  const masked = `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`
  const says = `access key ${masked}${account}, found in: ${foundIn}; its ARN: aws sts get-caller-identity`
  return foundIn === 'instance'
    ? warn(
        'identity',
        `${says}, which all processes on this machine share`,
        'give the pod a role of its own (IRSA, Pod Identity)',
      )
    : ok('identity', says)
}

export function judgeClock({ skewMs }: StorageLook): Finding[] {
  if (skewMs === undefined) return []
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  const says = `this clock is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} that of the store`
  const fix = 'set the clock of this machine (NTP)'
  if (Math.abs(skewMs) >= SKEW_REFUSED_MS) return [fail('clock', says, fix)]
  return [Math.abs(skewMs) >= SKEW_ODD_MS ? warn('clock', says, fix) : ok('clock', says)]
}

/** Whose backup is there, and whether the command can go on with it. `clusterId` is undefined when no broker answered. */
export function judgeArchive(
  url: string,
  archive: Archive | undefined,
  clusterId: string | undefined,
  { storesObjects }: Needs,
): Finding {
  const check = 'archive'
  if (archive === undefined) {
    return storesObjects
      ? ok(check, `${url} holds no backup yet: the first worker begins one`)
      : fail(
          check,
          `${url} holds no backup`,
          'is it the URL that the backup was made with? maxbrod ls names those nearby',
        )
  }
  const says = `${url} holds the backup of cluster ${archive.clusterId}, begun ${archive.createdAt}`
  if (!storesObjects || clusterId === undefined || clusterId === archive.clusterId) return ok(check, says)
  return fail(check, `${says}, and this is cluster ${clusterId}`, 'use another prefix in --storage for each cluster')
}
