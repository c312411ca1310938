import { maxRecordBytes } from '../../catalog/max-record-bytes.ts'
import { regexList } from '../../config/kinds-of-list.ts'
import { bytes, duration, rate } from '../../config/kinds-of-number.ts'
import { flag, path } from '../../config/kinds-of-text.ts'
import type { Values } from '../../config/section.ts'
import { section } from '../../config/section.ts'

export const compactOptions = section('compact', {
  topics: regexList({
    doc: 'Topics to work on: regexes of whole names. Without it those whose saved cleanup.policy has compact; with --merge all.',
  }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  merge: flag({
    doc: 'Merge small files into larger ones that hold the same records, instead of leaving out what was overwritten.',
  }),
  smallBelow: bytes({
    default: '5MiB',
    isAdvanced: true,
    doc: 'With --merge: files below this size are merged with their neighbours.',
  }),
  fileSize: bytes({
    default: '64MiB',
    min: '64KiB',
    isAdvanced: true,
    doc: 'How large the files become that are made.',
  }),
  dropTombstonesOlderThan: duration({
    doc: 'Leave out records without a value, which say that their key is gone, once they are this old, as delete.retention.ms does in Kafka. Without it all of them are kept.',
  }),
  workingDir: path({
    default: './maxbrod-data',
    doc: 'Folder for keys that do not fit into memory, and for the file that is being made. Nothing in it is needed afterwards.',
  }),
  memory: bytes({
    default: '256MiB',
    min: '64MiB',
    doc: 'How much memory to use. More keys than fit into a quarter of it are sorted on the disk.',
  }),
  maxRate: rate({ doc: 'Read at most this much per second.' }),
  dryRun: flag({ doc: 'Say what would be made, write nothing.' }),
  maxRecordBytes,
})

export type CompactOptions = Values<typeof compactOptions>
