import { flag, topicName } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

export const finalizeOptions = section('finalize', {
  planTopic: topicName({
    default: 'maxbrod.plan',
    env: ['KAFKA_PLAN_TOPIC'],
    doc: 'Topic with the plan whose targets are to be finalized.',
  }),
  dryRun: flag({ doc: 'Say what would be set and what would expire then, and change nothing.' }),
  yes: flag({ doc: 'Finalize also topics of which the cluster will delete restored records then.' }),
})

export type FinalizeOptions = Values<typeof finalizeOptions>
