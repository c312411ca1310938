import { coverArchive } from '../archive/coverage.ts'
import type { CoveredPartition, Coverage } from '../archive/coverage.ts'
import { LATE_POINT } from '../archive/late-point.ts'
import { coverageOptions } from '../archive/coverage-options.ts'
import { strip } from '../archive/strip.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { ago } from '../observe/ago.ts'
import { table } from '../observe/table.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import { duration } from './duration.ts'
import type { Outcome } from './ending.ts'
import { askingKafka } from './live-coverage.ts'

export const coverage = command({
  name: 'coverage',
  summary: 'show which offsets a backup has, and which are missing and why',
  sections: [coverageOptions, kafkaOptions, storageOptions, openingOptions],
  examples: [
    { does: 'every partition: OK, WARNING or FAILURE', line: '--storage s3://bucket/shop' },
    { does: 'some topics, for a monitor', line: "--topics 'orders.*' -o json --storage s3://bucket/shop" },
    {
      does: 'what is in Kafka and not here, and how long it still is',
      line: '--bootstrap-server kafka:9092 --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, logger: log, stop, origins } = context
    using deps = await openArchive(values.storage, values.opening, context, values.coverage.headerIndex)
    const named = [origins.kafka.bootstrapServer, origins.kafka.brokersDnsSrv, origins.kafka.commandConfig]
    const isKafkaAsked = named.some(({ from }) => from !== 'default')
    await using kafka = isKafkaAsked ? await context.openKafka(values.kafka, context) : undefined
    const asking = kafka === undefined ? undefined : askingKafka({ kafka, clock, log }, values.coverage)
    return outcomeOf(await coverArchive(deps, values.coverage, stop.draining, asking), isKafkaAsked, clock.now())
  },
})

function outcomeOf(found: Coverage, isKafkaAsked: boolean, now: number): Outcome {
  const { status, partitions, pointAtMs, isPointLate, withoutFiles, unreadable } = found
  const rows = partitions.map(one => [
    one.folder,
    one.partition,
    one.status,
    strip(one.segments),
    ...(isKafkaAsked ? kafkaCells(one) : []),
  ])
  const legend = `FOUND █  GAP ░  ${isKafkaAsked ? 'UPLOADING ▓  ' : ''}LATE ▒  LOST ×`
  const kafkaHeadings = isKafkaAsked ? ['unprotected', 'oldest', 'until it expires'] : []
  const text = [
    table(['topic', 'partition', '', legend, ...kafkaHeadings], rows),
    ...partitions.flatMap(linesOf),
    pointAtMs === undefined && !isKafkaAsked
      ? 'there is no restoration point: how far Kafka went is not known\n'
      : pointAtMs === undefined
        ? ''
        : `the newest restoration point is from ${ago(pointAtMs, now)}\n`,
    isPointLate ? `LATE: ${LATE_POINT}\n` : '',
    withoutFiles.length === 0
      ? ''
      : `without any file, and maybe not meant to be backed up: ${withoutFiles.join(', ')}\n`,
    ...unreadable.map(({ key, problem }) => `${key}: ${problem}\n`),
    `${status}\n`,
  ].join('')
  return { result: status === 'FAILURE' ? 'failed' : 'ok', code: 'ARCHIVE_UNSOUND', details: { ...found }, text }
}

function kafkaCells({ kafka }: CoveredPartition): (string | number)[] {
  if (kafka === undefined) return ['', '', '']
  const { unprotected, unprotectedSeconds, headroomSeconds } = kafka
  const seconds = (value: number | undefined) => (value === undefined ? '' : duration(value))
  return [unprotected, seconds(unprotectedSeconds), seconds(headroomSeconds)]
}

function linesOf({ folder, partition, segments }: CoveredPartition): string[] {
  return segments
    .filter(({ kind, reason }) => kind !== 'FOUND' || reason !== undefined)
    .map(({ kind, from, to, reason }) => {
      const range = to === undefined ? `${from} and on` : `${from} to ${to - 1}`
      return `${folder}/${partition}: ${kind} offsets ${range}: ${reason}\n`
    })
}
