import { followGroups } from '../groups/follow.ts'
import { restoreGroups } from '../groups/restore.ts'
import type { GroupsRestoreResult } from '../groups/restore.ts'
import { groupsRestoreOptions } from '../groups/restore-options.ts'
import { VERDICTS, isClean } from '../groups/verdict.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions } from '../observe/options.ts'
import { table } from '../observe/table.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { storageOptions } from '../storage/options.ts'
import type { StoragePlace } from '../storage/storage-url.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { startWatchServer } from './watch-server.ts'

export const groupsRestore = command({
  name: 'groups-restore',
  summary: 'commit the offsets of consumer groups where their records are now',
  sections: [groupsRestoreOptions, kafkaOptions, storageOptions, metricsOptions],
  examples: [
    { does: 'old and new offset of each group', line: '--storage s3://bucket/shop' },
    { does: 'commit them, as the restore gets there', line: '--execute --timeout 2h --storage s3://bucket/shop' },
    { does: 'a standby that is always ready', line: '--follow --execute --storage s3://bucket/shop' },
  ],
  endsByItself: values => !values.groupsRestore.follow,
  async run(values, context) {
    const { clock, metrics, vitals, logger, progress, stop } = context
    const { storage, s3Location } = values.storage
    const options = values.groupsRestore
    const { snapshot } = options
    if (options.follow && (!options.execute || options.at !== undefined || snapshot !== undefined))
      throw new MaxbrodError('USAGE', '--follow needs --execute, and no --at and no --snapshot')
    const store = await context.openStore(values.storage, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    await using kafka = await context.openKafka(values.kafka, context)
    await using _ = await startWatchServer(context, values)
    const deps = { kafka, store, clock, metrics, vitals, progress, log: logger }
    const wanted = { ...options, location: keyBelow(storage, s3Location) }
    if (!options.follow) return outcomeOf(await restoreGroups(deps, wanted, stop), stop.draining.aborted)
    await followGroups(deps, wanted, stop)
    return { result: 'ok', details: {}, text: '' }
  },
})

/** kafka-data-keep names its file by the key in the bucket; ours lie below the prefix of the storage URL. */
function keyBelow(storage: StoragePlace, location: string | undefined): string | undefined {
  const prefix = storage.kind === 's3' && storage.prefix !== '' ? `${storage.prefix}/` : ''
  return location?.startsWith(prefix) === true ? location.slice(prefix.length) : location
}

function outcomeOf({ entries, ...result }: GroupsRestoreResult, isInterrupted: boolean): Outcome {
  const { isExecuted, groups, snapshot } = result
  const rows = entries.map(({ entry, verdict }) => [
    entry.targetGroup,
    partitionName(entry),
    partitionName(entry.target),
    entry.offset,
    verdict.to ?? '',
    verdict.kind,
    verdict.reason,
  ])
  const counts = Object.fromEntries(
    VERDICTS.map(kind => [kind, entries.filter(({ verdict }) => verdict.kind === kind).length] as const).filter(
      ([, count]) => count > 0,
    ),
  )
  const said = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`)
  const text = [
    rows.length === 0 ? '' : table(['group', 'source', 'target', 'saved', 'new', 'verdict', ''], rows),
    `${groups} groups of ${snapshot}: ${said.join(', ') || 'nothing to restore'}\n`,
    isExecuted ? '' : 'nothing was committed; --execute does it\n',
  ].join('')
  return {
    result: entries.every(({ verdict }) => isClean(verdict)) ? 'ok' : 'partial',
    details: {
      ...result,
      verdicts: counts,
      offsets: entries.map(({ entry, verdict }) => ({
        group: entry.group,
        targetGroup: entry.targetGroup,
        topic: entry.topic,
        partition: entry.partition,
        target: entry.target.topic,
        saved: entry.offset,
        offset: verdict.to,
        verdict: verdict.kind,
        reason: verdict.reason,
      })),
    },
    text,
    isInterrupted,
  }
}
