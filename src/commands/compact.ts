import { compactArchive } from '../archive/compact/compact.ts'
import type { Compaction } from '../archive/compact/made.ts'
import { compactOptions } from '../archive/compact/options.ts'
import { resealingOptions } from '../storage/encryption-options.ts'
import { readKeys, sealTo } from '../storage/key-files.ts'
import { storageOptions } from '../storage/options.ts'
import { resealing } from '../storage/resealing.ts'
import { archiveIn } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { outcomeOfMaking } from './outcome-of-making.ts'
import { openStoreToRemake } from './open-store-to-read.ts'

export const compact = command({
  name: 'compact',
  summary: 'write the latest record per key beside a backup, or merge its small files',
  sections: [compactOptions, resealingOptions, storageOptions],
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
    const { disk, random, redactor, stop, version } = context
    const keys = await readKeys(disk, values.resealing, secret => redactor.hide(secret))
    const { raw, store } = await openStoreToRemake(values.storage, keys, context)
    using deps = archiveIn(store, values.storage, context)
    const sealing = keys.recipients.length === 0 ? {} : { seal: sealTo(keys), resealing: resealing(raw, keys) }
    const own = { ...deps, ...sealing, disk, random, writer: `maxbrod ${version}` }
    return outcomeOf(await compactArchive(own, values.compact, stop.draining))
  },
})

function outcomeOf(done: Compaction): Outcome {
  const { made, upToDate, leftOut } = done
  const last = made.length + upToDate + leftOut.length === 0 ? 'no topic is compacted: name topics with --topics\n' : ''
  return outcomeOfMaking(done, { upToDate: 'have nothing new', last })
}
