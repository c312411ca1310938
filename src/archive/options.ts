import { maxRecordBytes } from '../catalog/max-record-bytes.ts'
import { regexList } from '../config/kinds-of-list.ts'
import { count } from '../config/kinds-of-number.ts'
import { choice, flag, path, text } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { headerIndex } from './header-index-option.ts'

export const lsOptions = section('ls', {
  topics: regexList({ default: ['.*'], doc: 'Topics to list: regexes of whole names.' }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  points: flag({ doc: 'List restoration points instead, the newest first.' }),
  withPoints: flag({ isAdvanced: true, doc: 'List both: restoration points, and then topics.' }),
  limit: count({ default: '20', min: '1', doc: 'List so many restoration points.' }),
  headerIndex,
})

export const describeOptions = section('describe', {
  topic: text({
    isOperand: true,
    isRequired: true,
    placeholder: 'TOPIC[/PARTITION]',
    pattern: {
      regex: /^(?!\.\.?(\/|$))[\w.-]{1,249}(\/(0|[1-9]\d{0,9}))?$/,
      called: 'a topic, or a topic and a partition',
    },
    doc: 'The topic to describe, or one of its partitions with all of its files.',
  }),
  headerIndex,
})

export const inspectOptions = section('inspect', {
  file: path({
    isOperand: true,
    isRequired: true,
    doc: 'The data file: its key in the backup, or the path of a copy. A key needs --storage; ./ before a name makes it a path.',
  }),
  limit: count({ doc: 'Print so many records. Without it all.' }),
  offset: count({ doc: 'Begin with the first record that has this offset or a later one.' }),
  bytes: choice(['text', 'base64'], {
    default: 'text',
    doc: 'How to print keys and values. Bytes that are no UTF-8 text are printed as {"base64": "…"} in any case, so that nothing is lost.',
  }),
  maxRecordBytes,
})

export type DescribeOptions = Values<typeof describeOptions>
export type InspectOptions = Values<typeof inspectOptions>
