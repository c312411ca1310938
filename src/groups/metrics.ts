import { counter, gauge, metricSet } from '../observe/metric-set.ts'
import { VERDICTS } from './verdict.ts'

export const groupsBackupMetrics = metricSet('groups_backup', {
  groups: gauge('Consumer groups in the newest snapshot.'),
  offsets: gauge('Committed offsets in the newest snapshot.'),
  snapshotsTotal: counter('Group snapshots written.'),
  pointsTotal: counter('Restoration points written.'),
  failuresTotal: counter('Looks that brought nothing, because Kafka or the store did not answer.'),
  snapshotAgeSeconds: gauge('Seconds since the groups were last seen to be as the newest snapshot says.'),
  pointAgeSeconds: gauge('Seconds since the partitions were last seen to be as the newest restoration point says.'),
})

export const groupsRestoreMetrics = metricSet('groups_restore', {
  offsets: gauge('Saved offsets, by what has become of them.', { state: VERDICTS }),
  groups: gauge('Groups to restore.'),
  groupsCommittedTotal: counter('Groups whose offsets were committed, or were found to be there.'),
  snapshotAgeSeconds: gauge('Age of the snapshot that is being restored.'),
})
