import { regexList } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import { choice, path, text, topicName } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { PURPOSES } from './purpose.ts'

export const checkOptions = section('check', {
  for: choice(PURPOSES, {
    default: 'backup',
    placeholder: 'COMMAND',
    doc: `The command that is to run: ${PURPOSES.join(', ')}. What it needs is looked at, and nothing else.`,
  }),
  topics: regexList({
    default: ['.*'],
    doc: 'Topics that the command is to work on: regexes of whole names. For a restore, names in the target cluster.',
  }),
  excludeTopics: regexList({ doc: 'Topics to leave out, even if --topics matches them.' }),
  groupId: text({
    placeholder: 'GROUP',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the command, when it is not the usual one.',
  }),
  planTopic: topicName({
    default: 'maxbrod.plan',
    env: ['KAFKA_PLAN_TOPIC'],
    doc: 'Plan topic of a restore.',
  }),
  workingDir: path({
    default: './maxbrod-data',
    doc: 'Working folder of a backup worker.',
  }),
  timeout: duration({
    default: '8s',
    min: '1s',
    doc: 'Wait this long for the cluster and for the store, which are asked at the same time.',
  }),
})

export type CheckOptions = Values<typeof checkOptions>
