import { coverArchive } from '../archive/coverage.ts'
import { coverageOptions } from '../archive/coverage-options.ts'
import { reportOptions } from '../archive/report-options.ts'
import type { ReportOptions } from '../archive/report-options.ts'
import { findArchive } from '../catalog/archive.ts'
import { formatBytes } from '../config/units.ts'
import { restoreStatus } from '../executor/status.ts'
import { usualRestoreGroup } from '../format/restore-group.ts'
import { kafkaOptions } from '../kafka/options.ts'
import type { Kafka } from '../kafka/port.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import type { ObjectStore } from '../storage/port.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Context } from './command.ts'
import { askingKafka } from './live-coverage.ts'
import { reportOfBackup } from './report-of-backup.ts'
import { restorePartOf } from './restore-part.ts'

export const report = command({
  name: 'report',
  summary: 'one page for a browser: what a backup has, what is missing, how far a restore is',
  sections: [reportOptions, coverageOptions, kafkaOptions, storageOptions, openingOptions],
  examples: [
    { does: 'a page that needs nothing else', line: '--out backup.html --storage s3://bucket/shop' },
    {
      does: 'what is in Kafka only, too',
      line: '--out backup.html --bootstrap-server kafka:9092 --storage s3://bucket/shop',
    },
    { does: 'and the restore', line: '--out restore.html --plan-topic maxbrod.plan --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, disk, logger: log, stop, origins, version, isJson } = context
    const { out, planTopic } = values.report
    if (isJson && out === undefined)
      throw new MaxbrodError('USAGE', 'with -o json standard output is for the result', {
        hint: 'name a file with --out',
      })
    using deps = await openArchive(values.storage, values.opening, context, values.coverage.headerIndex)
    const named = [origins.kafka.bootstrapServer, origins.kafka.brokersDnsSrv, origins.kafka.commandConfig]
    const isKafkaNamed = planTopic !== undefined || named.some(({ from }) => from !== 'default')
    await using kafka = isKafkaNamed ? await context.openKafka(values.kafka, context) : undefined
    const source = kafka === undefined ? undefined : await sourceOf(kafka, deps.store, stop.draining)
    const asking = source?.isIt === true ? askingKafka({ kafka: source.kafka, clock, log }, values.coverage) : undefined
    const found = await coverArchive(deps, values.coverage, stop.draining, asking)
    const restore = kafka === undefined ? undefined : await restoreOf(kafka, values.report, context)
    const page = reportOfBackup(found, {
      nowMs: clock.now(),
      isKafkaAsked: asking !== undefined,
      url: deps.store.url,
      version,
      notes: source?.isIt === false ? [OTHER_CLUSTER] : [],
      restore: restore === undefined ? undefined : restorePartOf(restore),
    })
    const { status, partitions } = found
    const result = status === 'FAILURE' ? 'failed' : 'ok'
    if (out === undefined) return { result, code: 'ARCHIVE_UNSOUND', details: {}, text: page }
    await disk.replace(out, page)
    const bytes = Buffer.byteLength(page)
    return {
      result,
      code: 'ARCHIVE_UNSOUND',
      details: { status, partitions: partitions.length, out, bytes, isRestored: restore?.isDone },
      text: `${status}: ${partitions.length} partitions are told in ${out} (${formatBytes(bytes)})\n`,
    }
  },
})

const OTHER_CLUSTER =
  'The cluster that was asked is not the one that is backed up here: what is in Kafka only is not shown, and how far Kafka went is known from restoration points.'

/** Only the cluster that is backed up can say what is missing; a restore can be into another one. */
async function sourceOf(kafka: Kafka, store: ObjectStore, signal: AbortSignal) {
  const archive = await findArchive(store, signal)
  return { kafka, isIt: archive === undefined || archive.clusterId === (await kafka.admin.clusterId()) }
}

function restoreOf(
  kafka: Kafka,
  { planTopic, restoreGroupId }: ReportOptions,
  { clock, stop }: Pick<Context, 'clock' | 'stop'>,
) {
  if (planTopic === undefined) return Promise.resolve(undefined)
  const question = { planTopic, groupId: restoreGroupId ?? usualRestoreGroup(planTopic), isWaiting: false }
  return restoreStatus({ kafka, clock }, question, () => undefined, stop.draining)
}
