import { counter, gauge, metricSet } from '../observe/metric-set.ts'

export const executorMetrics = metricSet('restore', {
  recordsTotal: counter('Records that the target has acknowledged.', { topic: 'any' }),
  sentBytesTotal: counter('Bytes of acknowledged record batches.', { topic: 'any' }),
  filesTotal: counter('Backup files restored to their end.', { topic: 'any' }),
  tailReadsTotal: counter('Times that the end of a target partition was read before going on.', {
    reason: ['start', 'unanswered', 'stale', 'refused'],
  }),
  troublesTotal: counter('Failures that were tried again.'),
  plannedRecords: gauge('Records planned, of the chains of this executor.', { topic: 'any' }),
  restoredRecords: gauge('Records that are in the target, of the chains of this executor.', { topic: 'any' }),
  stoppedChains: gauge('Partitions that cannot go on.'),
  assignedPlanPartitions: gauge('Plan partitions of this executor; one that has none is a spare.'),
  memoryBytes: gauge('Bytes of decoded blocks held in memory.'),
})
