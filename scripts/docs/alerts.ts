/** What somebody must be told of a running backup or restore, and what to do then. */
export interface Alert {
  readonly name: string
  readonly severity: 'critical' | 'warning'
  readonly expression: string
  /** How long it must be so before anybody is told. */
  readonly for: string
  /** In the language of Prometheus' templates. */
  readonly says: string
  /** What that becomes in the example. */
  readonly reads: string
  readonly todo: string
  /** The heading of docs/operations.md that says it at length. */
  readonly runbook: string
  /** Series in the notation of promtool, one value a minute: quiet at minute 1, an alarm at 60, quiet again at 150. */
  readonly example: Readonly<Record<string, string>>
  /** Labels of the alert in the example. */
  readonly labels: Readonly<Record<string, string>>
}

const backedUp = { topic: 'orders' }
const worker = { instance: 'a' }

export const alerts: readonly Alert[] = [
  {
    name: 'MaxbrodRecordsLost',
    severity: 'critical',
    expression: 'sum by (topic, reason) (maxbrod_backup_gap_offsets_total) > 0',
    for: '0m',
    says: 'Offsets of {{ $labels.topic }} have no backup ({{ $labels.reason }}).',
    reads: 'Offsets of orders have no backup (retention).',
    todo: 'The gap is declared in the backup and stays there. With `retention`, give the topic more retention or start more workers; with `corrupt-at-source`, see docs/backup.md. The alert goes when the worker that found it is restarted.',
    runbook: 'Retention is faster than the backup',
    example: { 'maxbrod_backup_gap_offsets_total{topic="orders",reason="retention"}': '0x20 7x100 0x60' },
    labels: { ...backedUp, reason: 'retention' },
  },
  {
    name: 'MaxbrodRetentionNear',
    severity: 'critical',
    expression: 'min by (topic) (maxbrod_backup_retention_headroom_seconds) < 14400',
    for: '5m',
    says: 'Kafka deletes records of {{ $labels.topic }} within {{ $value | humanizeDuration }} that are not backed up.',
    reads: 'Kafka deletes records of orders within 1h 0m 0s that are not backed up.',
    todo: 'Start more workers, take `--max-rate` away, or raise `retention.ms` of the topic until the backup has caught up. `maxbrod status` shows each partition.',
    runbook: 'Retention is faster than the backup',
    example: { 'maxbrod_backup_retention_headroom_seconds{topic="orders"}': '90000x20 3600x100 90000x60' },
    labels: backedUp,
  },
  {
    name: 'MaxbrodBackupBehind',
    severity: 'warning',
    expression: 'max by (instance) (maxbrod_backup_buffered_age_seconds) > 1800',
    for: '5m',
    says: 'A worker holds records for {{ $value | humanizeDuration }} that are not in the store.',
    reads: 'A worker holds records for 1h 0m 0s that are not in the store.',
    todo: 'Look into its log for troubles of the store. With a `--max-file-age` of more than half an hour, raise the limit of this rule.',
    runbook: 'Uploads fail',
    example: { 'maxbrod_backup_buffered_age_seconds{instance="a"}': '60x20 3600x100 60x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodPartitionStopped',
    severity: 'critical',
    expression: 'sum by (instance) (maxbrod_backup_stopped_partitions) > 0',
    for: '5m',
    says: '{{ $value }} partitions are not backed up any more until somebody acts.',
    reads: '2 partitions are not backed up any more until somebody acts.',
    todo: '`maxbrod status` names them, and the log of the worker says why; docs/errors.md has a paragraph for each code.',
    runbook: 'A partition of the backup stands still',
    example: { 'maxbrod_backup_stopped_partitions{instance="a"}': '0x20 2x100 0x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodTopicsUnshared',
    severity: 'critical',
    expression: 'max by (instance) (maxbrod_backup_unshared_topics) > 0',
    for: '5m',
    says: '{{ $value }} topics that a worker selects are backed up by nobody: the leader of its group selects others.',
    reads: '2 topics that a worker selects are backed up by nobody: the leader of its group selects others.',
    todo: 'The log of the worker names the topics and the leader. Give all workers of a group the same `--topics`, `--exclude-topics` and `--include-internal`, or each selection a `--group-id` of its own.',
    runbook: 'Nobody works',
    example: { 'maxbrod_backup_unshared_topics{instance="a"}': '0x20 2x100 0x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodDiskFull',
    severity: 'critical',
    expression: 'max by (instance) (maxbrod_backup_disk_full) == 1',
    for: '5m',
    says: 'The disk of a working folder is full: its worker reads nothing.',
    reads: 'The disk of a working folder is full: its worker reads nothing.',
    todo: 'Uploads make room by themselves. If they do not, the store is not reachable, or something else fills the disk.',
    runbook: 'The disk is full',
    example: { 'maxbrod_backup_disk_full{instance="a"}': '0x20 1x100 0x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodUploadsFailing',
    severity: 'warning',
    expression: 'sum by (instance) (increase(maxbrod_backup_troubles_total[15m])) > 5',
    for: '10m',
    says: 'Uploads of a worker fail and are tried again.',
    reads: 'Uploads of a worker fail and are tried again.',
    todo: 'Nothing is lost, what is not uploaded stays on disk. The log has what the store answers.',
    runbook: 'Uploads fail',
    example: { 'maxbrod_backup_troubles_total{instance="a"}': '0x20 1+2x100 201x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodNobodyWorks',
    severity: 'critical',
    expression: 'sum(maxbrod_backup_owned_partitions) == 0 or absent(maxbrod_backup_owned_partitions)',
    for: '15m',
    says: 'No worker backs up any partition.',
    reads: 'No worker backs up any partition.',
    todo: 'Are workers running, and does Prometheus reach them? `maxbrod topics` says whether their expressions match any topic.',
    runbook: 'Nobody works',
    example: { 'maxbrod_backup_owned_partitions{instance="a"}': '3x20 0x100 3x60' },
    labels: {},
  },
  {
    name: 'MaxbrodRestoreStalled',
    severity: 'warning',
    expression:
      'sum(maxbrod_restore_planned_records) - sum(maxbrod_restore_restored_records) > 0 and delta(sum(maxbrod_restore_restored_records)[10m:1m]) == 0',
    for: '10m',
    says: '{{ $value }} records are still to be restored, and none came in ten minutes.',
    reads: '700 records are still to be restored, and none came in ten minutes.',
    todo: '`maxbrod status --plan-topic` names partitions that were put aside; the logs of the executors say why.',
    runbook: 'The restore does not get on',
    example: {
      'maxbrod_restore_planned_records{instance="a"}': '900x200',
      'maxbrod_restore_restored_records{instance="a"}': '0+10x20 200x100 900x60',
    },
    labels: {},
  },
  {
    name: 'MaxbrodRestoreStopped',
    severity: 'critical',
    expression: 'sum by (instance) (maxbrod_restore_stopped_chains) > 0',
    for: '1m',
    says: '{{ $value }} partitions of a restore cannot go on.',
    reads: '1 partitions of a restore cannot go on.',
    todo: 'The log of the executor says why; `maxbrod restore --retry-quarantined` tries again when it is mended.',
    runbook: 'A partition of the restore was put aside',
    example: { 'maxbrod_restore_stopped_chains{instance="a"}': '0x20 1x100 0x60' },
    labels: worker,
  },
  {
    name: 'MaxbrodGroupsStale',
    severity: 'warning',
    expression: 'min(maxbrod_groups_backup_snapshot_age_seconds) > 900',
    for: '5m',
    says: 'The consumer groups were last saved {{ $value | humanizeDuration }} ago.',
    reads: 'The consumer groups were last saved 33m 20s ago.',
    todo: 'The log of `maxbrod groups-backup` says what Kafka or the store answer. With an `--interval` of more than a quarter of an hour, raise the limit.',
    runbook: 'Groups or points are stale',
    example: { maxbrod_groups_backup_snapshot_age_seconds: '30x20 2000x100 30x60' },
    labels: {},
  },
  {
    name: 'MaxbrodPointsStale',
    severity: 'warning',
    expression: 'min(maxbrod_groups_backup_point_age_seconds) > 900',
    for: '5m',
    says: 'No restoration point could be made for {{ $value | humanizeDuration }}.',
    reads: 'No restoration point could be made for 33m 20s.',
    todo: 'The log of `maxbrod groups-backup` says why; mostly, it names a partition without a leader. Group snapshots go on meanwhile.',
    runbook: 'Groups or points are stale',
    example: { maxbrod_groups_backup_point_age_seconds: '30x20 2000x100 30x60' },
    labels: {},
  },
]
