import { resetOptions } from '../backup/reset/reset-options.ts'
import { resetBackup } from '../backup/reset/reset.ts'
import type { ResetPartition, ResetResult } from '../backup/reset/reset.ts'
import { findArchive, requireCluster } from '../catalog/archive.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { table } from '../observe/table.ts'
import { storageOptions } from '../storage/options.ts'
import { claimFor } from './claim.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const reset = command({
  name: 'reset',
  summary: 'say where a backup begins with partitions that it has no files of yet',
  sections: [resetOptions, kafkaOptions, storageOptions],
  examples: [
    { does: 'what would be moved?', line: '--to 2026-11-01 --storage s3://bucket/shop' },
    { does: 'move it', line: '--to 2026-11-01 --confirm --storage s3://bucket/shop' },
    {
      does: 'one topic, from its first record',
      line: '--to beginning --topics orders --confirm --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  async run({ reset: options, kafka: kafkaValues, storage }, context) {
    const { stop } = context
    const store = await context.openStore(storage, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    await using kafka = await context.openKafka(kafkaValues, context)
    const archive = options.confirm
      ? await claimFor(store, kafka, storage.allowUnconditionalPut, context)
      : await findArchive(store, stop.draining)
    if (archive !== undefined) requireCluster(archive, await kafka.admin.clusterId(), store.url)
    return outcomeOf(await resetBackup({ kafka, store, archive }, options, stop.draining))
  },
})

function outcomeOf(result: ResetResult): Outcome {
  const { group, isDone, partitions } = result
  const count = (kind: ResetPartition['becomes']['kind']) => partitions.filter(one => one.becomes.kind === kind).length
  const rows = partitions.map(({ topic, partition, committed, becomes }) => [
    topic,
    partition,
    committed ?? '',
    'to' in becomes ? becomes.to : '',
    becomes.kind === 'move'
      ? isDone
        ? 'moved'
        : 'would move'
      : becomes.kind === 'refused'
        ? becomes.reason
        : becomes.kind,
  ])
  const moved = count('move')
  const text = [
    rows.length === 0 ? '' : table(['topic', 'partition', 'committed', 'begins at', ''], rows),
    isDone
      ? `${moved} partitions of group ${group} moved\n`
      : `${moved} partitions of group ${group} would move; --confirm does it\n`,
    count('has files') > 0
      ? `${count('has files')} have files: workers go on where those end, whatever is committed\n`
      : '',
  ].join('')
  return { result: count('refused') > 0 ? 'partial' : 'ok', details: { ...result }, text }
}
