import { maxRecordBytes } from '../../catalog/max-record-bytes.ts'
import { regexList } from '../../config/kinds-of-list.ts'
import { rate } from '../../config/kinds-of-number.ts'
import { flag } from '../../config/kinds-of-text.ts'
import type { Values } from '../../config/section.ts'
import { section } from '../../config/section.ts'

export const rewrapOptions = section('rewrap', {
  topics: regexList({ default: ['.*'], doc: 'Topics to work on: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  maxRate: rate({ doc: 'Read at most this much per second.' }),
  dryRun: flag({ doc: 'Say what would be made, write nothing.' }),
  maxRecordBytes,
})

export type RewrapOptions = Values<typeof rewrapOptions>
