import { compactArchive } from '../archive/compact/compact.ts'
import type { Compaction } from '../archive/compact/made.ts'
import { compactOptions } from '../archive/compact/options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { leftOutLines, madeTable } from './made-table.ts'

export const compact = command({
  name: 'compact',
  summary: 'write the latest record per key beside a backup, or merge its small files',
  sections: [compactOptions, storageOptions],
  examples: [
    { does: 'all topics that are compacted in Kafka', line: '--storage s3://bucket/shop' },
    {
      does: 'one topic, without keys that were deleted a month ago',
      line: '--topics users --drop-tombstones-older-than 30d --storage s3://bucket/shop',
    },
    { does: 'fewer and larger files, with the same records', line: '--merge --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { disk, random, stop, version } = context
    // Without a secret key: what is encrypted must not become plain.
    using deps = await openArchive(values.storage, { identity: [], requireEncryption: false }, context)
    const writer = `maxbrod ${version}`
    return outcomeOf(await compactArchive({ ...deps, disk, random, writer }, values.compact, stop.draining))
  },
})

function outcomeOf(done: Compaction): Outcome {
  const { made, upToDate, leftOut, isDryRun } = done
  const text = [
    madeTable(made),
    leftOutLines(leftOut),
    isDryRun ? 'nothing was written: --dry-run\n' : '',
    upToDate === 0 ? '' : `${upToDate} partitions have nothing new\n`,
    made.length + upToDate + leftOut.length === 0 ? 'no topic is compacted: name topics with --topics\n' : '',
  ].join('')
  const hasProblem = leftOut.some(({ isProblem }) => isProblem)
  return { result: hasProblem ? 'partial' : 'ok', details: { ...done }, text }
}
