import { path, text, topicName } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import type { Values } from '../config/section.ts'

export const reportOptions = section('report', {
  out: path({ doc: 'Write the page into this file. Without it the page goes to standard output.' }),
  planTopic: topicName({ doc: 'Show how far the restore of this plan is, too.' }),
  restoreGroupId: text({
    placeholder: 'GROUP',
    isAdvanced: true,
    doc: 'Consumer group of the executors, with --plan-topic [maxbrod.restore. and the plan topic].',
  }),
})

export type ReportOptions = Values<typeof reportOptions>
