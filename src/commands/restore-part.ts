import type { RestorePart } from '../archive/report/model.ts'
import { formatBytes } from '../config/units.ts'
import type { RestoreStatus } from '../executor/restore-sum.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import { duration } from './duration.ts'

/** Partitions of a kind that are named one by one. */
const NAMED = 20

/** What a page shows of a restore that Kafka was asked about. Pure. */
export function restorePartOf(found: RestoreStatus): RestorePart {
  const { planTopic, isDone, recordsPerSecond, etaSeconds, quarantined, stalled, losing } = found
  const isFailed = losing.length > 0 || quarantined.length > 0
  const rate = recordsPerSecond === undefined ? '' : `, ${Math.round(recordsPerSecond)} records/s`
  const eta = etaSeconds === undefined || isDone ? '' : `, ${duration(etaSeconds)} to go`
  const named = (all: RestoreStatus['stalled']) =>
    `${all.slice(0, NAMED).map(partitionName).join(', ')}${all.length > NAMED ? `, and ${all.length - NAMED} more` : ''}`
  return {
    title: `Restore of ${planTopic}`,
    status: isFailed ? 'FAILURE' : stalled.length > 0 ? 'WARNING' : 'OK',
    says: isDone
      ? `all there: ${found.records} records`
      : `${found.recordsRestored} of ${found.records} records, ${found.filesRestored} of ${found.files} files, ${formatBytes(found.bytesRestored)} of ${formatBytes(found.bytes)}${rate}${eta}`,
    recordsPlanned: found.records,
    recordsRestored: found.recordsRestored,
    topics: found.topics.map(one => ({ ...one, partitions: `${one.partitionsDone} of ${one.partitions}` })),
    notes: [
      ...(found.isPlanComplete ? [] : ['the plan is not complete: its planner is at work, or died']),
      ...(quarantined.length === 0 ? [] : [`put aside, the logs of the executors say why: ${named(quarantined)}`]),
      ...(losing.length === 0 ? [] : [`restored records were deleted: ${named(losing)}`]),
      ...(stalled.length === 0 ? [] : [`do not get on (does an executor run?): ${named(stalled)}`]),
    ],
  }
}
