import { runExecutor } from '../executor/executor.ts'
import { executorOptions } from '../executor/options.ts'
import type { ExecutorOptions } from '../executor/options.ts'
import { readHeads } from '../executor/plan-reader.ts'
import type { RestoreResult } from '../executor/result.ts'
import type { ExecutorView } from '../executor/view.ts'
import { kafkaOptions } from '../kafka/options.ts'
import type { Kafka } from '../kafka/port.ts'
import { metricsOptions, pageOptions } from '../observe/options.ts'
import { table } from '../observe/table.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageNearby } from '../storage/open.ts'
import { storageOptions } from '../storage/options.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { openStoreToRead } from './open-store-to-read.ts'
import { executorLook } from './executor-look.ts'
import { LivePage } from './live-page.ts'
import { startWatchServer } from './watch-server.ts'

/** Unused buffers for batches and blocks. */
const POOL_BYTES = 64 * 1024 * 1024

export const restore = command({
  name: 'restore',
  summary: 'carry out a plan: put the records back, once and in order',
  sections: [executorOptions, kafkaOptions, storageOptions, openingOptions, metricsOptions, pageOptions],
  examples: [
    { does: 'restore and end; start several to go faster', line: '--exit-when-done --storage s3://bucket/shop' },
    { does: 'leave the cluster room to breathe', line: '--exit-when-done --max-rate 20MiB --storage s3://bucket/shop' },
    { does: 'a second restore beside the first', line: '--plan-topic maxbrod.plan.test --storage s3://bucket/shop' },
  ],
  endsByItself: values => values.restore.exitWhenDone,
  async run(values, context) {
    const { clock, random, metrics, vitals, logger, progress, stop, version } = context
    const store = await openStoreToRead(values.storage, values.opening, context)
    await using kafka = await context.openKafka(values.kafka, context)
    const page = new LivePage(clock, values.page)
    await using _ = await startWatchServer(context, values, page.routes)
    try {
      await checkPrefix(kafka, values.restore, stop.aborted)
      const own = { metrics, vitals, progress, log: logger, pool: new BufferPool(POOL_BYTES) }
      const onView = (view: () => ExecutorView) => page.connect(executorLook(view, clock, `maxbrod ${version}`))
      const nearbyArchives = () => storageNearby(values.storage, context, stop.draining)
      const deps = { nearbyArchives, kafka, store, clock, random, ...own, onView }
      const result = await runExecutor(deps, values.restore, stop)
      return outcomeOf(result, values.restore.exitWhenDone && stop.draining.aborted)
    } finally {
      store.close()
    }
  },
})

function outcomeOf({ result, topics, incomplete, ...rest }: RestoreResult, isInterrupted: boolean): Outcome {
  const rows = topics.map(one => [one.topic, one.partitions, one.recordsPlanned, one.recordsRestored])
  const text = [
    rows.length === 0 ? '' : table(['topic', 'partitions', 'planned', 'restored'], rows),
    ...incomplete.map(
      one => `${one.topic}-${one.partition}: ${one.recordsRestored} of ${one.recordsPlanned} records: ${one.message}\n`,
    ),
    rest.verified.length === 0
      ? ''
      : `read back: ${rest.verified.length} partitions, ${rest.verified.filter(({ by }) => by === rest.executor).length} of them by this executor\n`,
    result === 'ok' && rows.length > 0 && rest.isHeld
      ? `all there; next: maxbrod finalize --plan-topic ${rest.planTopic}\n`
      : '',
  ].join('')
  // The same exit code from every executor: why something was put aside is known to the one only that did it.
  return { result, details: { ...rest, topics, incomplete }, text, isInterrupted }
}

/** kafka-data-keep gives the prefix to its executors, where it cannot change any more what was planned. */
async function checkPrefix(kafka: Kafka, { planTopic, restoreTopicPrefix }: ExecutorOptions, signal: AbortSignal) {
  if (restoreTopicPrefix === undefined) return
  const [head] = await readHeads(kafka, planTopic, signal)
  const planned = head?.mapping.targetPrefix ?? ''
  if (planned === restoreTopicPrefix) return
  const named = (prefix: string) => (prefix === '' ? 'no prefix' : `the prefix ${prefix}`)
  throw new MaxbrodError(
    'PLAN_FOREIGN',
    `${planTopic} was planned with ${named(planned)}, not with ${restoreTopicPrefix}`,
    {
      hint: `plan with --target-prefix ${restoreTopicPrefix} into another --plan-topic`,
    },
  )
}
