import type { ConfigEntry } from '../kafka/port/admin.ts'
import type { Refusal } from './refusal.ts'
import { RECORD_GROWTH_BYTES } from './wanted-target.ts'
import type { TargetOptions, WantedTarget } from './wanted-target.ts'

export const MIN_IN_SYNC = 'min.insync.replicas'

/** What a held target would not mind: bounds of timestamps, in ms before and behind the time of the broker. */
const TIME_BOUNDS = [
  ['message.timestamp.before.max.ms', 'older'],
  ['message.timestamp.after.max.ms', 'newer'],
  // What brokers before 4.0 have instead, or beside them.
  ['message.timestamp.difference.max.ms', 'both'],
] as const

/** A target without hold must neither change the timestamps of its records nor refuse them. Pure. */
export function timeRefusals(
  { topic, source, timestampMin, timestampMax }: WantedTarget,
  configs: readonly ConfigEntry[],
  { hold }: Pick<TargetOptions, 'hold'>,
  nowMs: number,
): Refusal[] {
  if (hold !== 'off') return []
  const refusal = (message: string, hint: string): Refusal => ({ code: 'USAGE', message, details: { topic, hint } })
  if (valueOf(configs, 'message.timestamp.type') === 'LogAppendTime') {
    return [
      refusal(
        `${topic} would give every record the time of the restore`,
        'set message.timestamp.type=CreateTime, or leave out --hold off',
      ),
    ]
  }
  return TIME_BOUNDS.flatMap(([name, side]) => {
    const bound = Number(valueOf(configs, name) ?? Number.NaN)
    const earliest = timestampMin !== undefined && side !== 'newer' && nowMs - Number(timestampMin) > bound
    const latest = timestampMax !== undefined && side !== 'older' && Number(timestampMax) - nowMs > bound
    const time = earliest ? timestampMin : latest ? timestampMax : undefined
    if (time === undefined) return []
    return [
      refusal(
        `${topic} takes no record with a time as that of ${source} at ${timeText(time)}: ${name} is ${bound}`,
        `raise ${name} of ${topic}, or leave out --hold off`,
      ),
    ]
  })
}

/**
 * What to tell of a target. Too small for a record of its source is no refusal: limits hold for compressed batches, and the
 * executor compresses what would not fit otherwise. Pure.
 */
export function doubtsAbout(
  { topic, source, recordBytesMax, timestampMin }: WantedTarget,
  configs: readonly ConfigEntry[],
  { hold }: Pick<TargetOptions, 'hold'>,
  nowMs: number,
): string[] {
  const doubts: string[] = []
  const limit = Number(valueOf(configs, 'max.message.bytes') ?? Number.NaN)
  if (limit < recordBytesMax + RECORD_GROWTH_BYTES)
    doubts.push(
      `${source} holds a record of ${recordBytesMax} bytes, and ${topic} takes batches of ${limit} bytes at most (max.message.bytes): it must compress well to fit`,
    )
  const retention = Number(valueOf(configs, 'retention.ms') ?? -1)
  const isDeleting = (valueOf(configs, 'cleanup.policy') ?? 'delete').includes('delete')
  if (hold === 'off' && isDeleting && retention >= 0 && Number(timestampMin ?? nowMs) < nowMs - retention)
    doubts.push(
      `${topic} deletes what is older than retention.ms=${retention}, and ${source} has records from ${timeText(timestampMin ?? 0n)} on: without a hold they are gone within minutes`,
    )
  return doubts
}

/** A target with fewer replicas than must be in sync takes no record at all. Pure. */
export function replicaDoubts(topic: string, replicas: number, configs: readonly ConfigEntry[]): string[] {
  const inSync = Number(valueOf(configs, MIN_IN_SYNC) ?? 0)
  if (inSync <= replicas) return []
  return [
    `nothing can be written to ${topic}: it has ${replicas} replicas, and ${inSync} must be in sync (${MIN_IN_SYNC})`,
  ]
}

/** What to tell of a target that is to be created. Pure. */
export function doubtsAboutNew({ topic, source, partitions, definition }: WantedTarget): string[] {
  if (definition !== undefined) return []
  return [
    `the backup has no definition of ${source}: ${topic} is created with the partitions that its files tell of (${partitions}), and the cluster’s own replicas and configs`,
  ]
}

/** −1 stands for no time at all. */
function timeText(ms: bigint): string {
  const time = new Date(Number(ms))
  return Number.isNaN(time.getTime()) ? `${ms}` : time.toISOString()
}

export function valueOf(configs: readonly ConfigEntry[], wanted: string): string | null | undefined {
  return configs.find(({ name }) => name === wanted)?.value
}
