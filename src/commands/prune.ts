import { pruneArchive } from '../archive/prune/prune.ts'
import type { PruneDeps } from '../archive/prune/prune.ts'
import { LIFECYCLE_RULES_MAX, lifecycleOf } from '../archive/prune/lifecycle.ts'
import { pruneOptions } from '../archive/prune/options.ts'
import type { PruneOptions } from '../archive/prune/options.ts'
import { readKeepRules } from '../archive/prune/rules.ts'
import { ruleTopics } from '../archive/prune/topics.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { storageNearby } from '../storage/open.ts'
import { storageOptions } from '../storage/options.ts'
import type { StoragePlace } from '../storage/storage-url.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { pruneOutcome } from './prune-outcome.ts'
import { requireClock } from './require-clock.ts'

export const prune = command({
  name: 'prune',
  summary: 'take the oldest files out of a backup: what would go, or with --yes for good',
  sections: [pruneOptions, storageOptions],
  examples: [
    { does: 'what would go if 30 days were kept', line: '--keep 30d --storage s3://bucket/shop' },
    {
      does: 'every night: what Kafka keeps, the backup keeps',
      line: '--keep as-source --yes --storage s3://bucket/shop',
    },
    {
      does: 'rules for the bucket itself',
      line: '--keep 30d --print-lifecycle --storage s3://bucket/shop > lifecycle.json',
    },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, disk, logger, progress, stop, version } = context
    const store = await context.openErasableStore(values.storage, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    const deps: PruneDeps = {
      store,
      clock,
      disk,
      progress,
      log: logger,
      writer: `maxbrod ${version}`,
      pool: new BufferPool(0),
      nearbyArchives: () => storageNearby(values.storage, context, stop.draining),
    }
    if (values.prune.printLifecycle)
      return await lifecycleOutcome(deps, values.prune, values.storage.storage, stop.draining)
    await requireClock(values.storage, context)
    return pruneOutcome(await pruneArchive(deps, values.prune, stop.draining), values.prune)
  },
})

async function lifecycleOutcome(
  deps: PruneDeps,
  options: PruneOptions,
  place: StoragePlace,
  signal: AbortSignal,
): Promise<Outcome> {
  if (place.kind !== 's3')
    throw new MaxbrodError('USAGE', '--print-lifecycle: a folder has no lifecycle rules', {
      hint: 'run maxbrod prune --yes from a timer instead',
    })
  const ruled = await ruleTopics(deps, options, await readKeepRules(deps.disk, options), signal)
  const { rules, without } = lifecycleOf(ruled, place.prefix)
  for (const { topic, why } of without) deps.log.warn({ topic, reason: why }, 'no lifecycle rule for a topic')
  if (rules.length > LIFECYCLE_RULES_MAX)
    throw new MaxbrodError('USAGE', `${rules.length} rules are more than the ${LIFECYCLE_RULES_MAX} of a bucket`, {
      hint: 'run maxbrod prune --yes from a timer, or narrow --topics',
    })
  const lifecycle = { Rules: rules }
  return { result: 'ok', details: { lifecycle, without }, text: `${JSON.stringify(lifecycle, undefined, 2)}\n` }
}
