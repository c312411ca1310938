import { maxRecordBytes } from '../catalog/max-record-bytes.ts'
import { bytes, duration, rate } from '../config/kinds-of-number.ts'
import { choice, flag, text, topicName } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

export const executorOptions = section('restore', {
  planTopic: topicName({
    default: 'maxbrod.plan',
    env: ['KAFKA_PLAN_TOPIC'],
    doc: 'Topic with the plan that maxbrod plan wrote.',
  }),
  groupId: text({
    placeholder: 'GROUP',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the executors. Without it maxbrod.restore. and the name of the plan topic.',
  }),
  restoreTopicPrefix: text({
    placeholder: 'PREFIX',
    isAdvanced: true,
    env: ['KAFKA_RESTORE_TOPIC_PREFIX'],
    doc: 'The --target-prefix of the plan, to be sure: a plan with another one is refused. The plan decides.',
  }),
  exitWhenDone: flag({
    doc: 'End when all is restored that is planned at the start. It does not matter which executor restores it.',
  }),
  verify: choice(['tail', 'full'], {
    default: 'tail',
    doc: 'What to compare when a topic is complete. With tail the number of records and the last one, with full all records, read again.',
  }),
  retryQuarantined: flag({
    isAdvanced: true,
    doc: 'Try again what executors of this plan have put aside: files that could not be read, records that a target refused.',
  }),
  workerName: text({
    placeholder: 'NAME',
    isAdvanced: true,
    doc: 'Name of this executor in the group. With one it keeps its partitions over a restart; two must not have the same.',
  }),
  sessionTimeout: duration({
    default: '30s',
    min: '1s',
    max: '24d',
    isAdvanced: true,
    doc: 'How long the group waits for a silent executor before others take over.',
  }),
  memory: bytes({
    default: '256MiB',
    min: '16MiB',
    doc: 'How much to hold in memory. Reading waits for room.',
  }),
  maxRate: rate({
    min: '1KiB',
    doc: 'Write at most this much per second. Counted as sent to Kafka; without it as fast as possible.',
  }),
  maxRecordBytes,
})

export type ExecutorOptions = Values<typeof executorOptions>
