import type { Compaction } from '../archive/compact/made.ts'
import { rewrapOptions } from '../archive/rewrap/options.ts'
import { rewrapArchive } from '../archive/rewrap/rewrap.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { resealingOptions } from '../storage/encryption-options.ts'
import { readKeys } from '../storage/key-files.ts'
import { storageOptions } from '../storage/options.ts'
import { resealing } from '../storage/resealing.ts'
import { archiveIn } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { outcomeOfMaking } from './outcome-of-making.ts'
import { openStoreToRemake } from './open-store-to-read.ts'

export const rewrap = command({
  name: 'rewrap',
  summary: 'encrypt the files of a backup for other keys, beside those that are there',
  sections: [rewrapOptions, resealingOptions, storageOptions],
  examples: [
    {
      does: 'from an old key to a new one',
      line: '--identity old.key --identity new.key --encrypt-to age1… --storage s3://bucket/shop',
    },
    {
      does: 'what would be made',
      line: '--dry-run --identity all.keys --encrypt-to new.txt --storage s3://bucket/shop',
    },
    {
      does: 'encrypt a topic that is plain',
      line: '--topics cards --identity new.key --encrypt-to age1… --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { disk, random, redactor, stop } = context
    if (values.resealing.encryptTo.length === 0)
      throw new MaxbrodError('USAGE', 'nothing says for whom: --encrypt-to', {
        hint: 'give the new recipients, and with --identity the old secret keys and the new one',
      })
    const keys = await readKeys(disk, values.resealing, secret => redactor.hide(secret))
    const { raw, store } = await openStoreToRemake(values.storage, keys, context)
    using deps = archiveIn(store, values.storage, context)
    const own = { ...deps, random, resealing: resealing(raw, keys) }
    return outcomeOf(await rewrapArchive(own, values.rewrap, stop.draining))
  },
})

function outcomeOf(done: Compaction): Outcome {
  const { made, isDryRun } = done
  const last =
    made.length === 0 || isDryRun ? '' : 'the files that were there stay: maxbrod prune --superseded lets them go\n'
  return outcomeOfMaking(done, { upToDate: 'are for these recipients already', last })
}
