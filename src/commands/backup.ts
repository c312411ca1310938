import { backupOptions } from '../backup/options.ts'
import type { Flushed } from '../backup/flush.ts'
import type { BackupResult } from '../backup/result.ts'
import { isKafkaGone, rescueSpool } from '../backup/rescue/rescue-spool.ts'
import { saySpoolOnly } from '../backup/rescue/spool-only.ts'
import { readTopicRules } from '../backup/topics/topic-rules.ts'
import type { WorkerView } from '../backup/view.ts'
import { runBackup } from '../backup/worker.ts'
import { BackupTally } from '../backup/result.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions, pageOptions } from '../observe/options.ts'
import { table } from '../observe/table.ts'
import { unlessAborted } from '../runtime/aborted.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import { sealingOptions } from '../storage/encryption-options.ts'
import { openSeal } from '../storage/key-files.ts'
import { keepingOptions } from '../storage/keeping-options.ts'
import { storageOptions } from '../storage/options.ts'
import { claimFor } from './claim.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'
import { openFlushSwitch } from './flush-switch.ts'
import { LivePage } from './live-page.ts'
import { reportRoutes } from './report-on-request.ts'
import { startWatchServer } from './watch-server.ts'
import { pageOfWorker } from './worker-page.ts'

/** Unused buffers for blocks: as many as are filled and compressed at a time, and a few more. */
const POOL_BYTES = 48 * 1024 * 1024

export const backup = command({
  name: 'backup',
  summary: 'copy topics into object storage: a worker, or once to the present ends',
  sections: [backupOptions, kafkaOptions, storageOptions, sealingOptions, keepingOptions, metricsOptions, pageOptions],
  examples: [
    {
      does: 'two topics into a folder, and end',
      line: '--once --topics orders --topics payments --storage file:///backup',
    },
    { does: 'a worker; start as many as you like', line: "--topics 'shop\\..*' --storage s3://bucket/shop" },
    { does: 'smaller files, sooner', line: '--max-file-age 1m --min-file-size 1MiB --storage s3://bucket/shop' },
  ],
  endsByItself: values => values.backup.once,
  async run(values, context) {
    const { clock, random, disk, metrics, vitals, logger, progress, stop, version } = context
    const rules = await readTopicRules(disk, values.backup.topicRules)
    if (rules.saysHowToKeep && values.storage.storage.kind !== 's3')
      logger.warn('storage-class and tags of --topic-rules mean nothing to this store, and are left out')
    const seal = await openSeal(disk, values.sealing)
    const store = await context.openStore({ ...values.storage, ...values.keeping }, context)
    using _closing = { [Symbol.dispose]: () => store.close() }
    await using kafka = await context.openKafka(values.kafka, context)
    const page = new LivePage(clock, values.page)
    await using _ = await startWatchServer(context, values, page.routes)
    const { enableFlushServer } = values.backup
    const isFlushNamed = context.origins.backup.flushPort.from !== 'default'
    await using flushSwitch = await openFlushSwitch({
      port: enableFlushServer && (isFlushNamed || !values.backup.once) ? values.backup.flushPort : 0,
      isNamed: isFlushNamed,
      logger,
      onFlushSignal: listener => context.onFlushSignal(listener),
      routes: reportRoutes({
        store,
        kafka,
        clock,
        log: logger,
        version,
        groupId: values.backup.groupId,
        isSealed: seal !== undefined,
        signal: stop.draining,
      }),
    })
    const options = { ...values.backup, metadataMaxAge: values.kafka.metadataMaxAge }
    const writer = `maxbrod ${version}`
    const rescue = async (error: unknown): Promise<never> => {
      const deps = { store, disk, clock, random, log: logger, writer, rules, seal }
      if (isKafkaGone(error)) await rescueSpool(deps, options, stop.aborted)
      throw error
    }
    const archive = await unlessAborted(
      claimFor(store, kafka, values.storage.allowUnconditionalPut, context).catch(rescue),
      stop.draining,
    )
    if (archive === undefined) return outcomeOf(new BackupTally().result([]), true, store.url)
    const deps = {
      kafka,
      archive,
      store,
      disk,
      clock,
      random,
      metrics,
      vitals,
      progress,
      pool: new BufferPool(POOL_BYTES),
      log: logger,
      writer,
      rules,
      seal,
      onView: (view: () => WorkerView) =>
        page.connect(() => pageOfWorker(view(), { nowMs: clock.now(), url: store.url, writer })),
      onFlush: (flush: () => Promise<Flushed>) => flushSwitch.connect(flush),
    }
    const result = await runBackup(deps, options, stop).catch(rescue)
    return outcomeOf(result, stop.draining.aborted, store.url)
  },
})

function outcomeOf(result: BackupResult, isInterrupted: boolean, url: string): Outcome {
  const { files, records, bytes, partitions, stopped, gaps, cuts, behindOpenTransaction, held, nothingMatched } = result
  const { notUploaded } = result
  const rows = partitions.map(one => [
    one.topic,
    one.partition,
    one.files,
    one.records,
    one.bytes,
    `${one.from} … ${one.to - 1}`,
  ])
  const text = [
    rows.length === 0 ? '' : table(['topic', 'partition', 'files', 'records', 'bytes', 'offsets'], rows),
    `${files} new files with ${records} records in ${url}\n`,
    nothingMatched === undefined ? '' : `nothing to back up: ${nothingMatched}\n`,
    ...stopped.map(({ message }) => `not backed up: ${message}\n`),
    ...gaps.map(
      ({ topic, partition, from, to, reason }) =>
        `${topic}-${partition}: Kafka ${reason === 'retention' ? 'no longer had' : 'had a corrupt batch at'} the offsets ${from} … ${to - 1}; they are declared as a gap\n`,
    ),
    ...cuts.map(
      ({ topic, partition, at, lineage }) =>
        `${topic}-${partition}: Kafka lost records from offset ${at} on; the backup keeps them, and goes on there with leader epoch ${lineage}\n`,
    ),
    ...behindOpenTransaction.map(
      ({ topic, partition, records: open }) =>
        `${topic}-${partition}: ${open} offsets lie behind an open transaction; the next backup takes them\n`,
    ),
    ...notUploaded.map(one => `${saySpoolOnly(one)}\n`),
    ...held.map(topic => `${topic}: a restore still fills it; it is not backed up until maxbrod finalize\n`),
  ].join('')
  return {
    result: result.result,
    details: {
      files,
      records,
      bytes,
      partitions,
      stopped,
      gaps,
      cuts,
      behindOpenTransaction,
      held,
      notUploaded,
      nothingMatched,
    },
    text,
    isInterrupted,
  }
}
