import { backUpGroups } from '../groups/backup.ts'
import type { Kept } from '../groups/backup.ts'
import { groupsBackupOptions } from '../groups/backup-options.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions } from '../observe/options.ts'
import { unlessAborted } from '../runtime/aborted.ts'
import { keepingOptions } from '../storage/keeping-options.ts'
import { storageOptions } from '../storage/options.ts'
import { claimFor } from './claim.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { startWatchServer } from './watch-server.ts'

export const groupsBackup = command({
  name: 'groups-backup',
  summary: 'copy consumer-group offsets, and make restoration points: a worker, or once',
  sections: [groupsBackupOptions, kafkaOptions, storageOptions, keepingOptions, metricsOptions],
  examples: [
    { does: 'a worker: one is enough', line: '--storage s3://bucket/shop' },
    { does: 'once, for a schedule of your own', line: '--once --storage s3://bucket/shop' },
    {
      does: 'a restoration point every ten seconds, without the groups of consoles',
      line: "--interval 10s --exclude-groups 'console-.*' --storage s3://bucket/shop",
    },
  ],
  endsByItself: values => values.groupsBackup.once,
  async run(values, context) {
    const { clock, metrics, vitals, logger, stop } = context
    const store = await context.openStore({ ...values.storage, ...values.keeping }, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    await using kafka = await context.openKafka(values.kafka, context)
    await using _ = await startWatchServer(context, values)
    const claimed = claimFor(store, kafka, values.storage.allowUnconditionalPut, context)
    const archive = await unlessAborted(claimed, stop.draining)
    const deps = { kafka, store, clock, metrics, vitals, log: logger }
    const kept = archive === undefined ? undefined : await backUpGroups(deps, values.groupsBackup, stop)
    return outcomeOf(kept, store.url, stop.draining.aborted)
  },
})

function outcomeOf(kept: Kept | undefined, url: string, isInterrupted: boolean): Outcome {
  if (kept === undefined) return { result: 'ok', details: {}, text: '', isInterrupted }
  const { groups, offsets, partitions, groupsKey, pointKey, isNewSnapshot, isNewPoint, denied } = kept
  const newOrNot = (isNew: boolean) => (isNew ? 'new' : 'nothing had changed')
  const text = [
    groupsKey === undefined
      ? 'there are no consumer groups\n'
      : `${groups} groups with ${offsets} offsets: ${groupsKey} (${newOrNot(isNewSnapshot)})\n`,
    `restoration point of ${partitions} partitions: ${pointKey} (${newOrNot(isNewPoint)}) in ${url}\n`,
    ...denied.map(group => `not backed up: ${group}, which this user may not describe\n`),
  ].join('')
  return {
    result: denied.length === 0 ? 'ok' : 'partial',
    details: { snapshot: groupsKey, point: pointKey, isNewSnapshot, isNewPoint, groups, offsets, partitions, denied },
    text,
    isInterrupted,
  }
}
