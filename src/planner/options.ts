import { maxRecordBytes } from '../catalog/max-record-bytes.ts'
import { list, pairs, regexList } from '../config/kinds-of-list.ts'
import { bytes, count } from '../config/kinds-of-number.ts'
import { looseRegexes, plainName } from '../config/kinds-of-others.ts'
import { choice, flag, path, text, time, topicName } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { namedTopics, refuseNewName, renamedTopics } from './named-topics.ts'

/** The switch of kafka-backup. */
const ignorePartitions = { name: 'flag', placeholder: '', takes: 'nothing', read: readIgnorePartitions } as const

function readIgnorePartitions([given]: readonly string[]): 'same' | 'modulo' {
  return given === 'false' ? 'same' : 'modulo'
}

export const plannerOptions = section('plan', {
  planTopic: topicName({
    default: 'maxbrod.plan',
    env: ['KAFKA_PLAN_TOPIC'],
    doc: 'Topic for the plan, in the target cluster. It is created when it does not exist; every restore has one of its own.',
  }),
  planPartitions: count({
    min: '1',
    max: '1000',
    doc: 'Partitions of a new plan topic: so many executors can work. Without it as many as there are partitions to restore, at most 50.',
  }),
  topics: regexList({
    default: ['.*'],
    check: refuseNewName,
    foreign: [
      { flag: 'restore-topics-regex', env: 'RESTORE_TOPICS_REGEX', kind: looseRegexes },
      { flag: 'topics-regex', kind: looseRegexes },
    ],
    composed: { of: ['topic'], write: ({ topic }) => namedTopics(topic).map(({ source }) => plainName(source)) },
    doc: 'Topics to restore, in this order: regexes of whole names.',
  }),
  excludeTopics: regexList({
    foreign: [{ flag: 'exclude-topics-regex', env: 'EXCLUDE_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics to leave out, even if --topics matches them.',
  }),
  processLargeTopicsLast: bytes({
    isAdvanced: true,
    doc: 'Plan topics with more than this in their files behind all others. Otherwise the order is that of --topics.',
  }),
  targetPrefix: text({
    placeholder: 'PREFIX',
    foreign: [{ flag: 'restore-topic-prefix', env: 'KAFKA_RESTORE_TOPIC_PREFIX' }],
    pattern: { regex: /^[\w.-]{1,200}$/, called: 'the beginning of a topic name' },
    doc: 'Put this in front of the names of the restored topics.',
  }),
  rename: pairs({
    placeholder: 'TOPIC=TOPIC',
    composed: { of: ['topic'], write: ({ topic }) => renamedTopics(topic) },
    doc: 'Restore a topic under another name. No prefix is put in front of that.',
  }),
  topic: list({
    placeholder: 'TOPIC[/TOPIC]',
    isAdvanced: true,
    foreign: [{ flag: 't' }],
    doc: 'Restore this topic, under the name behind the slash or colon if there is one. In place of --topics and --rename.',
  }),
  createTopics: flag({ doc: 'Create missing target topics like their sources.' }),
  partitionMap: choice(['same', 'modulo'], {
    default: 'same',
    isAdvanced: true,
    foreign: [{ flag: 'ignore-partitions', kind: ignorePartitions }],
    doc: 'Which partition becomes which. With same, the target must have as many as the source; with modulo, p becomes p modulo the number of the target, and sources of one target come one after the other.',
  }),
  append: flag({
    isAdvanced: true,
    doc: 'Restore behind what a target topic already holds. Without it a target that is not empty is refused.',
  }),
  hold: choice(['auto', 'off'], {
    default: 'auto',
    doc: 'Keep old records in targets from being deleted. With auto, retention and cleanup of target topics are changed until maxbrod finalize.',
  }),
  until: time({
    doc: 'Restore up to the first record later than this. The record itself and what follows it in its partition are left out.',
  }),
  fromOffsets: path({
    isAdvanced: true,
    doc: 'Restore from these offsets on. A file with a line such as orders:0:4711 for each partition; others are restored from their beginning.',
  }),
  toOffsets: path({
    isAdvanced: true,
    doc: 'Restore up to these offsets, without the records that have them. A file as for --from-offsets; kafka-get-offsets.sh prints such lines.',
  }),
  at: time({
    foreign: [{ flag: 'restoration-point' }],
    doc: 'Restore the newest restoration point not after this. All topics are cut at one moment, and groups-restore --at fits to it.',
  }),
  useCompacted: flag({
    doc: 'Restore from what maxbrod compact made where there is some, and from the files that continue it: the latest record of each key instead of all. --until, --at and offsets that cut into it use the originals.',
  }),
  acceptGaps: list({
    placeholder: 'TOPIC-PARTITION',
    doc: 'Plan these partitions in spite of missing files. The refusal lists them.',
  }),
  incarnation: text({
    placeholder: 'newest|all|ID',
    pattern: { regex: /^(newest|all|[\w-]{22})$/, called: 'newest, all or a topic id' },
    isAdvanced: true,
    doc: 'Which one of a topic that was created again; all puts them one behind the other. Without it the command ends and lists them.',
  }),
  restartPlan: flag({
    isAdvanced: true,
    doc: 'Forget the plan that the plan topic holds and begin anew. Its targets must be empty: after they were emptied or deleted, say. The plan topic is deleted and created again.',
  }),
  ignoreErrors: flag({
    isAdvanced: true,
    doc: 'Leave out topics that something is wrong with, name them, and plan the others. The exit code is 3 then; without it one such topic refuses the whole plan.',
  }),
  strict: flag({
    isAdvanced: true,
    doc: 'Refuse what is otherwise a warning. Foreign objects among the files, or a missing head.',
  }),
  maxRecordBytes,
  dryRun: flag({ doc: 'Check all, say what would be planned, write nothing.' }),
})

export type PlannerOptions = Values<typeof plannerOptions>
