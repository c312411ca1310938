import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions } from '../observe/options.ts'
import { table } from '../observe/table.ts'
import { plannerOptions } from '../planner/options.ts'
import { runPlanner } from '../planner/planner.ts'
import { preflightTable } from '../planner/preflight-table.ts'
import type { PreflightRow } from '../planner/preflight.ts'
import type { PlanResult } from '../planner/result.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { storageNearby } from '../storage/open.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { openStoreToRead } from './open-store-to-read.ts'
import { startWatchServer } from './watch-server.ts'

export const plan = command({
  name: 'plan',
  summary: 'prove that a backup is whole, and write the plan of a restore',
  sections: [plannerOptions, kafkaOptions, storageOptions, openingOptions, metricsOptions],
  examples: [
    { does: 'what would be restored, and is it whole?', line: '--dry-run --storage s3://bucket/shop' },
    {
      does: 'one topic under another name',
      line: '--topics orders --rename orders=orders.restored --storage s3://bucket/shop',
    },
    {
      does: 'everything into an empty cluster',
      line: '--create-topics --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, random, disk, logger, progress, stop } = context
    const store = await openStoreToRead(values.storage, values.opening, context)
    await using kafka = await context.openKafka(values.kafka, context)
    // A planner is gone before most would scrape it: it has a server only if somebody names the port.
    const isNamed = context.origins.metrics.metricsPort.from !== 'default'
    const metricsPort = isNamed ? values.metrics.metricsPort : 0
    context.vitals.readyUnless(() => undefined)
    await using _ = await startWatchServer(context, { ...values, metrics: { ...values.metrics, metricsPort } })
    try {
      const nearbyArchives = () => storageNearby(values.storage, context, stop.draining)
      const readFile = (path: string) => disk.read(path)
      const onPreflight = (rows: readonly PreflightRow[]) => context.print(preflightTable(rows))
      const own = { readFile, nearbyArchives, onPreflight, log: logger, pool: new BufferPool(0) }
      const deps = { kafka, store, clock, random, progress, ...own }
      return outcomeOf(await runPlanner(deps, values.plan, stop))
    } finally {
      store.close()
    }
  },
})

function outcomeOf({ topics, ...rest }: PlanResult): Outcome {
  const rows = topics.map(({ source, target, partitions, files, records, bytes }) => [
    source,
    target,
    partitions,
    files,
    records,
    bytes,
  ])
  const done = rest.isDryRun
    ? 'nothing was written (--dry-run)'
    : rest.filesAdded > 0
      ? `planned ${rest.filesAdded} files in ${rest.planTopic}; next: maxbrod restore --plan-topic ${rest.planTopic}`
      : `nothing new to plan in ${rest.planTopic}`
  const { restorationPoint: point } = rest
  const cut = point === undefined ? '' : `all topics end at the restoration point of ${point.at}\n`
  const { compacted } = rest
  const latest =
    compacted.length === 0 ? '' : `of ${compacted.length} partitions only the latest record per key (--use-compacted)\n`
  const without = rest.leftOut.map(({ topic }) => topic).join(', ')
  const left = without === '' ? '' : `left out, see the warnings: ${without} (--ignore-errors)\n`
  const text = `${table(['source', 'target', 'partitions', 'files', 'records', 'bytes'], rows)}${cut}${latest}${left}${done}\n`
  return { result: without === '' ? 'ok' : 'partial', details: { ...rest, topics }, text }
}
