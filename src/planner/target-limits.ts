import type { ConfigEntry } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { RECORD_GROWTH_BYTES } from './targets.ts'
import type { TargetOptions, WantedTarget } from './targets.ts'

/** What a held target would not mind: bounds of timestamps, in ms before and behind the time of the broker. */
const TIME_BOUNDS = [
  ['message.timestamp.before.max.ms', 'older'],
  ['message.timestamp.after.max.ms', 'newer'],
  // What brokers before 4.0 have instead, or beside them.
  ['message.timestamp.difference.max.ms', 'both'],
] as const

/** Throws USAGE for a target without hold that would change the timestamps of its records, or refuse them. Pure. */
export function refuseTimes(
  { topic, source, timestampMin, timestampMax }: WantedTarget,
  configs: readonly ConfigEntry[],
  { hold }: Pick<TargetOptions, 'hold'>,
  nowMs: number,
): void {
  if (hold !== 'off') return
  if (valueOf(configs, 'message.timestamp.type') === 'LogAppendTime') {
    throw new MaxbrodError('USAGE', `${topic} would give every record the time of the restore`, {
      topic,
      hint: 'set message.timestamp.type=CreateTime, or leave out --hold off',
    })
  }
  for (const [name, side] of TIME_BOUNDS) {
    const bound = Number(valueOf(configs, name) ?? Number.NaN)
    const earliest = timestampMin !== undefined && side !== 'newer' && nowMs - Number(timestampMin) > bound
    const latest = timestampMax !== undefined && side !== 'older' && Number(timestampMax) - nowMs > bound
    const time = earliest ? timestampMin : latest ? timestampMax : undefined
    if (time === undefined) continue
    throw new MaxbrodError(
      'USAGE',
      `${topic} takes no record with a time as that of ${source} at ${timeText(time)}: ${name} is ${bound}`,
      { topic, hint: `raise ${name} of ${topic}, or leave out --hold off` },
    )
  }
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

function valueOf(configs: readonly ConfigEntry[], wanted: string): string | null | undefined {
  return configs.find(({ name }) => name === wanted)?.value
}
