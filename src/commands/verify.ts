import { verifyArchive } from '../archive/verify.ts'
import type { Verification } from '../archive/verify.ts'
import { verifyOptions } from '../archive/verify-options.ts'
import { formatBytes } from '../config/units.ts'
import { clusterKey } from '../format/system-keys.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { storageOptions } from '../storage/options.ts'
import { openArchive } from './archive-deps.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const verify = command({
  name: 'verify',
  summary: 'prove that every file of a backup is whole and in its place',
  sections: [verifyOptions, storageOptions, openingOptions],
  examples: [
    { does: 'read everything once', line: '--storage s3://bucket/shop' },
    {
      does: 'every night a twentieth, and notice what was removed since',
      line: '--sample 5% --state verified.jsonl --storage s3://bucket/shop',
    },
    { does: 'slowly, in a bucket that others use', line: '--max-rate 20MiB --storage s3://bucket/shop' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { disk, random, stop } = context
    // Files that a sample leaves out are known by their headers alone: those are read.
    const index = values.verify.sample < 1 ? undefined : values.verify.headerIndex
    using deps = await openArchive(values.storage, values.opening, context, index)
    return outcomeOf(await verifyArchive({ ...deps, disk, random }, values.verify, stop.draining), deps.store.url)
  },
})

/** Findings that are printed; with -o json all are there. */
const NAMED = 100

function outcomeOf(found: Verification, url: string): Outcome {
  const { topics, partitions, files, verified, records, bytes, headersUnproven, findings, foreign, leftovers } = found
  const { generations, unfinished, twins, twinsUnread } = found
  const { systemObjects, systemVerified, isWithoutCluster } = found
  const more = findings.length - NAMED
  const text = [
    ...findings.slice(0, NAMED).map(({ kind, says }) => `${kind.toUpperCase()}  ${says}\n`),
    more > 0 ? `… and ${more} more findings\n` : '',
    `${topics} topics, ${partitions} partitions, ${files} files in ${url}: names, headers and tiling looked at\n`,
    `${verified} files read and sound: ${records} records, ${formatBytes(bytes)}\n`,
    `${systemVerified} of ${systemObjects} objects beside them read and sound: groups, points, definitions of topics, reports\n`,
    headersUnproven === 0 ? '' : `${headersUnproven} of them have no checksum beside them that covers their headers\n`,
    foreign.length === 0 ? '' : `${foreign.length} objects are no backup files: ${foreign.slice(0, 10).join(', ')}\n`,
    twins === 0
      ? ''
      : `${twins} pairs of a plain and an encrypted file cover the same offsets with the same records: a restore takes each once\n`,
    twinsUnread === 0 ? '' : `${twinsUnread} such pairs were not compared\n`,
    generations === 0 ? '' : `${generations} partitions have files beside the originals that were made of them\n`,
    unfinished === 0 ? '' : `${unfinished} partitions have such files that nobody finished: they count for nothing\n`,
    isWithoutCluster
      ? `there is no ${clusterKey}, as in a copy of topics alone: a restore needs none, and a worker would begin another backup here\n`
      : '',
    leftovers === 0 ? '' : `${leftovers} files were pruned and are still there: maxbrod prune goes on with them\n`,
    findings.length === 0 ? 'nothing is wrong\n' : `${findings.length} findings\n`,
  ].join('')
  const isSound = findings.length === 0
  return { result: isSound ? 'ok' : 'failed', code: 'ARCHIVE_UNSOUND', details: { ...found }, text }
}
