import { maxRecordBytes } from '../catalog/max-record-bytes.ts'
import { regexList } from '../config/kinds-of-list.ts'
import { rate } from '../config/kinds-of-number.ts'
import { flag, path } from '../config/kinds-of-text.ts'
import { one } from '../config/option.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { headerIndex } from './header-index-option.ts'
import { share } from './share.ts'

export const verifyOptions = section('verify', {
  topics: regexList({ default: ['.*'], doc: 'Topics to verify: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  sample: one(share, {
    default: '100%',
    doc: 'Read only so many of the files. With --state those that were read longest ago, so that every file has its turn; without it by chance. Names, headers and tiling of all files are checked in any case.',
  }),
  state: path({
    doc: 'Remember in this file what was verified. A run that was interrupted then goes on, and a file that was removed or replaced since is found, even the last one of its partition.',
  }),
  maxRate: rate({ doc: 'Read at most this much per second.' }),
  allowMissingHeads: flag({
    doc: 'Do not report that the first files of a partition are gone. For buckets with lifecycle rules.',
  }),
  headerIndex,
  maxRecordBytes,
})

export type VerifyOptions = Values<typeof verifyOptions>
