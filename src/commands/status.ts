import { backupStatus } from '../backup/protection/status.ts'
import type { BackupStatus } from '../backup/protection/status.ts'
import { regexList } from '../config/kinds-of-list.ts'
import { looseRegexes } from '../config/kinds-of-others.ts'
import { flag, text, topicName } from '../config/kinds-of-text.ts'
import { section } from '../config/section.ts'
import { checkPlanTopic, readHeads } from '../executor/plan-reader.ts'
import type { RestoreStatus } from '../executor/restore-sum.ts'
import { restoreStatus } from '../executor/status.ts'
import { usualRestoreGroup } from '../format/restore-group.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { table } from '../observe/table.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { command } from './command.ts'
import type { Context } from './command.ts'
import { duration } from './duration.ts'
import type { Outcome } from './ending.ts'

const statusOptions = section('status', {
  planTopic: topicName({ doc: 'Tell about the restore of this plan; without it about the backup.' }),
  groupId: text({
    placeholder: 'GROUP',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the workers [maxbrod], or of the executors [maxbrod.restore. and the plan topic].',
  }),
  topics: regexList({
    default: ['.*'],
    foreign: [{ env: 'KAFKA_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics of the backup, as for maxbrod backup.',
  }),
  excludeTopics: regexList({
    foreign: [{ env: 'KAFKA_EXCLUDE_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics that are not backed up, as for maxbrod backup.',
  }),
  includeInternal: flag({ isAdvanced: true, doc: "Kafka's internal topics, too, as for maxbrod backup." }),
  wait: flag({ doc: 'Of a restore: wait until all is there.' }),
  isPlanned: flag({
    isAdvanced: true,
    doc: 'Of a restore: say only whether its plan is there, with exit code 0, or 10 when it is not. What has become of it does not matter.',
  }),
})

export const status = command({
  name: 'status',
  summary: 'how far a backup or a restore is, by what Kafka knows of it',
  sections: [statusOptions, kafkaOptions],
  examples: [
    { does: 'what is protected, and up to when?', line: '' },
    { does: 'how far is the restore?', line: '--plan-topic maxbrod.plan' },
    { does: 'wait for it, in a script', line: '--plan-topic maxbrod.plan --wait -o json' },
  ],
  endsByItself: () => true,
  async run({ status: values, kafka: options }, context) {
    const { planTopic, groupId, topics, excludeTopics, includeInternal, wait, isPlanned } = values
    const { clock, logger: log, stop } = context
    if (isPlanned && planTopic === undefined)
      throw new MaxbrodError('USAGE', '--is-planned is about a restore', { hint: 'name its --plan-topic' })
    await using kafka = await context.openKafka(options, context)
    if (planTopic === undefined) {
      const question = { groupId: groupId ?? 'maxbrod', topics, excludeTopics, includeInternal }
      return backupOutcome(await backupStatus({ kafka, clock, log }, question, stop.draining))
    }
    if (isPlanned) {
      const head = await checkPlanTopic(kafka, planTopic, await readHeads(kafka, planTopic, stop.draining))
      return { result: 'ok', details: { planTopic, restoreId: head.restoreId }, text: `${planTopic} has a plan\n` }
    }
    const question = { planTopic, groupId: groupId ?? usualRestoreGroup(planTopic), isWaiting: wait }
    const onLook = showing(context)
    const found = await restoreStatus({ kafka, clock }, question, wait ? onLook : () => undefined, stop.draining)
    return { ...restoreOutcome(found), isInterrupted: stop.draining.aborted }
  },
})

/** Shows what is restored as progress, while somebody waits. */
function showing({ progress }: Pick<Context, 'progress'>): (found: RestoreStatus) => void {
  let task: ReturnType<typeof progress.task> | undefined
  let shown = 0
  return ({ records, recordsRestored, isOver }) => {
    task ??= progress.task('restore', { unit: 'records', total: records, done: (shown = recordsRestored) })
    task.setTotal(records)
    task.add(recordsRestored - shown)
    shown = recordsRestored
    if (isOver) task[Symbol.dispose]()
  }
}

function backupOutcome({ partitions, unknown, held, group }: BackupStatus): Outcome {
  const rows = partitions.map(one => [
    one.topic,
    one.partition,
    one.protectedTo,
    one.end,
    one.behind,
    duration(one.behindSeconds),
    one.headroomSeconds === undefined ? '' : duration(one.headroomSeconds),
  ])
  const behind = partitions.reduce((sum, one) => sum + one.behind, 0)
  const seconds = Math.max(0, ...partitions.map(one => one.behindSeconds))
  const lost = partitions.filter(one => one.lost > 0)
  const stopped = partitions.filter(one => one.stopped !== undefined)
  const headings = ['topic', 'partition', 'protected to', 'end', 'behind', 'oldest', 'until it expires']
  const lines = [
    rows.length === 0 ? '' : table(headings, rows),
    behind === 0
      ? `all of ${partitions.length} partitions is in the backup of group ${group}\n`
      : `${behind} offsets are not in the backup of group ${group} yet, the oldest for ${duration(seconds)}\n`,
    ...lost.map(one => `${partitionName(one)}: Kafka deleted ${one.lost} offsets before they were backed up\n`),
    ...stopped.map(
      one => `${partitionName(one)}: its worker cannot go on with it (${one.stopped}); the log says why\n`,
    ),
    ...unknown.map(one => `${partitionName(one)}: unknown: ${one.reason}\n`),
    ...held.map(topic => `${topic}: a restore still fills it; it is not backed up until maxbrod finalize\n`),
  ].join('')
  const isWhole = lost.length === 0 && stopped.length === 0 && unknown.length === 0
  return {
    result: isWhole ? 'ok' : 'partial',
    details: { group, partitions, unknown, held, behind, behindSeconds: seconds },
    text: lines,
  }
}

function restoreOutcome(found: RestoreStatus): Outcome {
  const rows = found.topics.map(one => [
    one.topic,
    `${one.partitionsDone} of ${one.partitions}`,
    one.recordsPlanned,
    one.recordsRestored,
  ])
  const rate = found.recordsPerSecond === undefined ? '' : `, ${Math.round(found.recordsPerSecond)} records/s`
  const eta = found.etaSeconds === undefined ? '' : `, ${duration(found.etaSeconds)} to go`
  const lines = [
    rows.length === 0 ? '' : table(['topic', 'partitions', 'planned', 'restored'], rows),
    found.isDone
      ? 'all there\n'
      : `${found.filesRestored} of ${found.files} files, ${found.recordsRestored} of ${found.records} records${rate}${eta}\n`,
    found.isPlanComplete ? '' : 'the plan is not complete: its planner is at work, or died\n',
    ...found.quarantined.map(one => `${partitionName(one)}: put aside; the log of its executor says why\n`),
    found.stalled.length === 0
      ? ''
      : `${found.stalled.length} partitions do not get on: does an executor run? ${found.stalled.slice(0, 5).map(partitionName).join(', ')}\n`,
    ...found.losing.map(one => `${partitionName(one)}: restored records were deleted\n`),
  ].join('')
  const isSound = found.quarantined.length === 0 && found.losing.length === 0
  return { result: isSound ? 'ok' : 'partial', details: { ...found }, text: lines }
}
