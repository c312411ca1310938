import { coverArchive } from '../archive/coverage.ts'
import type { CoveredPartition, Coverage } from '../archive/coverage.ts'
import { coverageOptions } from '../archive/coverage-options.ts'
import { strip } from '../archive/strip.ts'
import { ago } from '../observe/ago.ts'
import { table } from '../observe/table.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const coverage = command({
  name: 'coverage',
  summary: 'show which offsets a backup has, and which are missing and why',
  sections: [coverageOptions, storageOptions, openingOptions],
  examples: [
    { does: 'every partition: OK, WARNING or FAILURE', line: '--storage s3://bucket/shop' },
    { does: 'some topics, for a monitor', line: "--topics 'orders.*' -o json --storage s3://bucket/shop" },
    { does: 'nothing may be missing for longer than an hour', line: '--late-after 1h --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    using deps = await openArchive(values.storage, values.opening, context, values.coverage.headerIndex)
    return outcomeOf(await coverArchive(deps, values.coverage, context.stop.draining), deps.clock.now())
  },
})

function outcomeOf(found: Coverage, now: number): Outcome {
  const { status, partitions, pointAtMs, withoutFiles, unreadable } = found
  const rows = partitions.map(one => [one.folder, one.partition, one.status, strip(one.segments)])
  const text = [
    table(['topic', 'partition', '', 'FOUND █  GAP ░  LATE ▒  LOST ×'], rows),
    ...partitions.flatMap(linesOf),
    pointAtMs === undefined
      ? 'there is no restoration point: how far Kafka went is not known\n'
      : `the newest restoration point is from ${ago(pointAtMs, now)}\n`,
    withoutFiles.length === 0
      ? ''
      : `without any file, and maybe not meant to be backed up: ${withoutFiles.join(', ')}\n`,
    ...unreadable.map(({ key, problem }) => `${key}: ${problem}\n`),
    `${status}\n`,
  ].join('')
  return { result: status === 'FAILURE' ? 'failed' : 'ok', code: 'ARCHIVE_UNSOUND', details: { ...found }, text }
}

function linesOf({ folder, partition, segments }: CoveredPartition): string[] {
  return segments
    .filter(({ kind }) => kind !== 'FOUND')
    .map(({ kind, from, to, reason }) => {
      const range = to === undefined ? `${from} and on` : `${from} to ${to - 1}`
      return `${folder}/${partition}: ${kind} offsets ${range}: ${reason}\n`
    })
}
