import { regexList } from '../../config/kinds-of-list.ts'
import { bytes, count, duration } from '../../config/kinds-of-number.ts'
import { flag, path } from '../../config/kinds-of-text.ts'
import type { Kind } from '../../config/option.ts'
import { kindOfOne, one } from '../../config/option.ts'
import type { Values } from '../../config/section.ts'
import { section } from '../../config/section.ts'
import { parseDuration } from '../../config/units.ts'
import { Unreadable } from '../../config/unreadable.ts'

/** How long files are kept: so many ms, as long as Kafka keeps the topic, or for ever. */
export type Keep = number | 'as-source' | 'forever'

export const keepKind: Kind<Keep> = kindOfOne({ name: 'duration', placeholder: 'DURATION|as-source' }, given => {
  const word = given.toLowerCase()
  if (word === 'as-source' || word === 'forever') return word
  const ms = parseDuration(given)
  if (ms < 1_000) throw new Unreadable(`'${given}' keeps nothing`, 'write it like 30d, or as-source')
  return ms
})

export const pruneOptions = section('prune', {
  topics: regexList({ default: ['.*'], doc: 'Topics to prune: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave as they are, even if --topics matches them.' }),
  keep: one(keepKind, {
    doc: 'Keep files whose newest record is not older than this: 30d. With as-source, what the saved retention of each topic keeps in Kafka.',
  }),
  keepBytes: bytes({
    doc: 'Keep the newest files of each partition, so many bytes of them. With --keep, a file goes only when neither keeps it.',
  }),
  keepRules: path({
    doc: 'A file of rules for single topics, which count instead of --keep and --keep-bytes. See docs/archive.md.',
  }),
  keepPoints: count({
    default: '3',
    min: '1',
    isAdvanced: true,
    doc: 'Keep all that Kafka had at the newest so many restoration points, and at the newest one that is older than a day.',
  }),
  superseded: flag({
    doc: 'Give up files as well whose records are all in files that maxbrod rewrap or compact --merge made of them.',
  }),
  supersededByCompacted: flag({
    isAdvanced: true,
    doc: 'With --superseded, for what maxbrod compact made as well: then only the latest record of each key is left, and restores need --use-compacted.',
  }),
  grace: duration({
    default: '0s',
    isAdvanced: true,
    doc: 'Delete only what was given up so long ago, by an earlier run. A restore that was planned before has this time to end.',
  }),
  printLifecycle: flag({
    doc: 'Print lifecycle rules for the bucket, which do some of this without maxbrod, and change nothing.',
  }),
  yes: flag({ doc: 'Delete. Without it nothing is changed, and what would go is shown.' }),
})

export type PruneOptions = Values<typeof pruneOptions>
