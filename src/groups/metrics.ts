import { counter, gauge, metricSet } from '../observe/metric-set.ts'

export const groupsBackupMetrics = metricSet('groups_backup', {
  groups: gauge('Consumer groups in the newest snapshot.'),
  offsets: gauge('Committed offsets in the newest snapshot.'),
  snapshotsTotal: counter('Group snapshots written.'),
  pointsTotal: counter('Restoration points written.'),
  failuresTotal: counter('Looks that brought nothing, because Kafka or the store did not answer.'),
  snapshotAgeSeconds: gauge('Seconds since the groups were last seen to be as the newest snapshot says.'),
  pointAgeSeconds: gauge('Seconds since the partitions were last seen to be as the newest restoration point says.'),
})
