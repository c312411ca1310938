import { gapReasons } from '../format/tile-header.ts'
import { counter, gauge, histogram, metricSet, secondsBuckets } from '../observe/metric-set.ts'

export const backupMetrics = metricSet('backup', {
  recordsTotal: counter('Committed records taken from Kafka.', { topic: 'any' }),
  fetchedBytesTotal: counter('Bytes of record batches fetched from Kafka.', { topic: 'any' }),
  filesTotal: counter('Files that became durable in the object store.', { topic: 'any' }),
  fileBytesTotal: counter('Bytes of these files.', { topic: 'any' }),
  uploadSeconds: histogram('From closing a file to its commit.', secondsBuckets),
  troublesTotal: counter('Uploads that failed and were tried again.'),
  gapOffsetsTotal: counter('Offsets without backup: Kafka no longer had them, or had them corrupt.', {
    topic: 'any',
    reason: gapReasons,
  }),
  divergencesTotal: counter('Times that Kafka lost records that had been read, in an unclean leader election.', {
    topic: 'any',
  }),
  retentionHeadroomSeconds: gauge(
    'Least time until retention.ms lets Kafka delete a record of a topic that is not durable yet, shown up to half of it. Missing while nothing is in danger.',
    { topic: 'any' },
  ),
  stoppedPartitions: gauge('Partitions that cannot go on until somebody acts.'),
  unsharedTopics: gauge(
    'Topics that this worker selects and nobody backs up, because the leader of its group selects others.',
  ),
  ownedPartitions: gauge('Partitions that this worker backs up.'),
  bufferedBytes: gauge('Bytes read and not yet durable.'),
  bufferedAgeSeconds: gauge('Age of the oldest record or marker that was read and is not yet durable.'),
  bufferedUntilTimestampSeconds: gauge(
    'When all that is buffered now is on its way to the store at the latest, as Unix time; 0 when nothing is.',
  ),
  diskFull: gauge('Is 1 while the disk of the working folder is full and nothing is read.'),
  memoryBytes: gauge('Bytes of records held in memory.'),
  lastUploadTimestampSeconds: gauge('When the newest file of a topic became durable.', { topic: 'any' }),
})
