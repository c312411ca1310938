import { maxRecordBytes } from '../catalog/max-record-bytes.ts'
import { list, regexList } from '../config/kinds-of-list.ts'
import { bytes, duration, rate } from '../config/kinds-of-number.ts'
import { flag, path, text, time } from '../config/kinds-of-text.ts'
import { one } from '../config/option.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { headerIndex } from './header-index-option.ts'
import { share } from './share.ts'

export const drillOptions = section('drill', {
  topics: regexList({ default: ['.*'], doc: 'Topics to restore and compare: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  sample: one(share, {
    default: '100%',
    doc: 'Of each partition only a stretch of so much of its offsets, at another place each time. Not together with --at.',
  }),
  at: time({ doc: 'Restore the newest restoration point not after this, as maxbrod plan --at does.' }),
  until: time({ doc: 'Restore up to the first record later than this, as maxbrod plan --until does.' }),
  acceptGaps: list({
    placeholder: 'TOPIC-PARTITION',
    isAdvanced: true,
    doc: 'Go on with these partitions in spite of missing files. The refusal lists them.',
  }),
  useCompacted: flag({
    isAdvanced: true,
    doc: 'Restore from what maxbrod compact made where there is some, as maxbrod plan --use-compacted does.',
  }),
  incarnation: text({
    placeholder: 'newest|ID',
    pattern: { regex: /^(newest|[\w-]{22})$/, called: 'newest or a topic id' },
    default: 'newest',
    isAdvanced: true,
    doc: 'Which one of a topic that was created again.',
  }),
  report: path({
    doc: 'Write a report into this folder, as JSON and as text: drill-<time>.json and drill-<time>.txt, whatever the drill finds.',
  }),
  maxRate: rate({ min: '1KiB', doc: 'Write, and read back, at most this much per second.' }),
  memory: bytes({
    default: '256MiB',
    min: '16MiB',
    isAdvanced: true,
    doc: 'How much to hold in memory. Reading waits for room.',
  }),
  sessionTimeout: duration({
    default: '30s',
    min: '1s',
    max: '24d',
    isAdvanced: true,
    doc: 'After so long a silence a drill counts as dead, and the next one removes what it left behind.',
  }),
  headerIndex,
  maxRecordBytes,
})

export type DrillOptions = Values<typeof drillOptions>
