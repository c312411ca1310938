/** What the dashboards of Grafana show. One panel answers one question; the question is its title. */
export interface Dashboard {
  /** Of its file; with maxbrod- before it its id in Grafana. */
  readonly name: string
  readonly title: string
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[]
  /** A metric with a label `topic` whose values can be chosen. */
  readonly topics: string
}

export interface Panel {
  readonly title: string
  /** `number` shows the present value, `lines` the course of it. */
  readonly as: 'number' | 'lines'
  readonly unit: 's' | 'bytes' | 'Bps' | 'short' | 'ops' | 'percentunit' | 'dateTimeFromNow'
  /** Expression → name of its lines. */
  readonly queries: Readonly<Record<string, string>>
  /** Of a number: green below the first, yellow from there, red from the second; the other way round when they descend. */
  readonly limits?: readonly [yellow: number, red: number]
}

const topic = 'topic=~"$topic"'
const rate = (metric: string, labels = '') => `rate(${metric}${labels === '' ? '' : `{${labels}}`}[$__rate_interval])`

export const dashboards: readonly Dashboard[] = [
  {
    name: 'backup',
    title: 'maxbrod: backup',
    topics: 'maxbrod_backup_records_total',
    rows: [
      {
        title: 'Is everything safe?',
        panels: [
          {
            title: 'Oldest record that is not in the store',
            as: 'number',
            unit: 's',
            limits: [900, 1_800],
            queries: { 'max(maxbrod_backup_buffered_age_seconds)': '' },
          },
          {
            title: 'Least time until retention deletes what is not backed up',
            as: 'number',
            unit: 's',
            limits: [86_400, 14_400],
            queries: { 'min(maxbrod_backup_retention_headroom_seconds)': '' },
          },
          {
            title: 'Offsets without backup',
            as: 'number',
            unit: 'short',
            limits: [1, 1],
            queries: { 'sum(maxbrod_backup_gap_offsets_total)': '' },
          },
          {
            title: 'Partitions that stopped',
            as: 'number',
            unit: 'short',
            limits: [1, 1],
            queries: { 'sum(maxbrod_backup_stopped_partitions)': '' },
          },
          {
            title: 'Partitions that are backed up',
            as: 'number',
            unit: 'short',
            queries: { 'sum(maxbrod_backup_owned_partitions)': '' },
          },
          {
            title: 'Disks that are full',
            as: 'number',
            unit: 'short',
            limits: [1, 1],
            queries: { 'sum(maxbrod_backup_disk_full)': '' },
          },
        ],
      },
      {
        title: 'How much comes?',
        panels: [
          {
            title: 'Records taken from Kafka',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (topic) (${rate('maxbrod_backup_records_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Bytes fetched from Kafka',
            as: 'lines',
            unit: 'Bps',
            queries: { [`sum by (topic) (${rate('maxbrod_backup_fetched_bytes_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Bytes of files',
            as: 'lines',
            unit: 'Bps',
            queries: { [`sum by (topic) (${rate('maxbrod_backup_file_bytes_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Size of files',
            as: 'lines',
            unit: 'bytes',
            queries: {
              [`sum by (topic) (${rate('maxbrod_backup_file_bytes_total', topic)}) / sum by (topic) (${rate('maxbrod_backup_files_total', topic)})`]:
                '{{topic}}',
            },
          },
          {
            title: 'Newest file',
            as: 'lines',
            unit: 's',
            queries: {
              [`time() - max by (topic) (maxbrod_backup_last_upload_timestamp_seconds{${topic}})`]: '{{topic}} ago',
            },
          },
          {
            title: 'Retention headroom',
            as: 'lines',
            unit: 's',
            queries: { [`min by (topic) (maxbrod_backup_retention_headroom_seconds{${topic}})`]: '{{topic}}' },
          },
        ],
      },
      {
        title: 'How are the workers?',
        panels: [
          {
            title: 'Partitions by worker',
            as: 'lines',
            unit: 'short',
            queries: { 'sum by (instance) (maxbrod_backup_owned_partitions)': '{{instance}}' },
          },
          {
            title: 'Waiting in the spool',
            as: 'lines',
            unit: 'bytes',
            queries: { 'sum by (instance) (maxbrod_backup_buffered_bytes)': '{{instance}}' },
          },
          {
            title: 'Records in memory',
            as: 'lines',
            unit: 'bytes',
            queries: { 'sum by (instance) (maxbrod_backup_memory_bytes)': '{{instance}}' },
          },
          {
            title: 'From closing a file to its commit',
            as: 'lines',
            unit: 's',
            queries: {
              [`histogram_quantile(0.5, sum by (le) (${rate('maxbrod_backup_upload_seconds_bucket')}))`]: 'median',
              [`histogram_quantile(0.99, sum by (le) (${rate('maxbrod_backup_upload_seconds_bucket')}))`]: '99 %',
            },
          },
          {
            title: 'Uploads that failed and were tried again',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (instance) (${rate('maxbrod_backup_troubles_total')})`]: '{{instance}}' },
          },
          {
            title: 'CPU',
            as: 'lines',
            unit: 'percentunit',
            queries: {
              [`sum by (instance) (${rate('process_cpu_seconds_total')} and on (instance) maxbrod_backup_owned_partitions)`]:
                '{{instance}}',
            },
          },
        ],
      },
      { title: 'How is the object store?', panels: storePanels() },
    ],
  },
  {
    name: 'restore',
    title: 'maxbrod: restore and consumer groups',
    topics: 'maxbrod_restore_planned_records',
    rows: [
      {
        title: 'How far is it?',
        panels: [
          {
            title: 'Restored',
            as: 'number',
            unit: 'percentunit',
            queries: { 'sum(maxbrod_restore_restored_records) / sum(maxbrod_restore_planned_records)': '' },
          },
          {
            title: 'Records to go',
            as: 'number',
            unit: 'short',
            queries: { 'sum(maxbrod_restore_planned_records) - sum(maxbrod_restore_restored_records)': '' },
          },
          {
            title: 'Time to go, as fast as in the last ten minutes',
            as: 'number',
            unit: 's',
            queries: {
              '(sum(maxbrod_restore_planned_records) - sum(maxbrod_restore_restored_records)) / sum(rate(maxbrod_restore_records_total[10m]))':
                '',
            },
          },
          {
            title: 'Partitions that cannot go on',
            as: 'number',
            unit: 'short',
            limits: [1, 1],
            queries: { 'sum(maxbrod_restore_stopped_chains)': '' },
          },
          {
            title: 'Executors at work',
            as: 'number',
            unit: 'short',
            queries: { 'count(maxbrod_restore_assigned_plan_partitions > 0)': '' },
          },
          {
            title: 'Executors that stand by',
            as: 'number',
            unit: 'short',
            queries: { 'count(maxbrod_restore_assigned_plan_partitions == 0) or vector(0)': '' },
          },
        ],
      },
      {
        title: 'How fast?',
        panels: [
          {
            title: 'Records acknowledged by the target',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (topic) (${rate('maxbrod_restore_records_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Bytes acknowledged by the target',
            as: 'lines',
            unit: 'Bps',
            queries: { [`sum by (topic) (${rate('maxbrod_restore_sent_bytes_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Restored, by topic',
            as: 'lines',
            unit: 'percentunit',
            queries: {
              [`sum by (topic) (maxbrod_restore_restored_records{${topic}}) / sum by (topic) (maxbrod_restore_planned_records{${topic}})`]:
                '{{topic}}',
            },
          },
          {
            title: 'Files restored',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (topic) (${rate('maxbrod_restore_files_total', topic)})`]: '{{topic}}' },
          },
          {
            title: 'Failures tried again',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (instance) (${rate('maxbrod_restore_troubles_total')})`]: '{{instance}}' },
          },
          {
            title: 'Tails read before going on',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum by (reason) (${rate('maxbrod_restore_tail_reads_total')})`]: '{{reason}}' },
          },
        ],
      },
      {
        title: 'Where are the consumer groups?',
        panels: [
          {
            title: 'Saved offsets, by what became of them',
            as: 'lines',
            unit: 'short',
            queries: { 'sum by (state) (maxbrod_groups_restore_offsets)': '{{state}}' },
          },
          {
            title: 'Groups committed',
            as: 'lines',
            unit: 'short',
            queries: {
              'sum(maxbrod_groups_restore_groups_committed_total)': 'committed',
              'sum(maxbrod_groups_restore_groups)': 'to restore',
            },
          },
          {
            title: 'Age of the newest snapshot',
            as: 'lines',
            unit: 's',
            queries: {
              'min(maxbrod_groups_backup_snapshot_age_seconds)': 'groups',
              'min(maxbrod_groups_backup_point_age_seconds)': 'restoration point',
            },
          },
          {
            title: 'Looks that brought nothing',
            as: 'lines',
            unit: 'ops',
            queries: { [`sum(${rate('maxbrod_groups_backup_failures_total')})`]: 'failed' },
          },
        ],
      },
      { title: 'How is the object store?', panels: storePanels() },
    ],
  },
]

function storePanels(): readonly Panel[] {
  return [
    {
      title: 'Requests by outcome',
      as: 'lines',
      unit: 'ops',
      queries: { [`sum by (verb, outcome) (${rate('maxbrod_storage_requests_total')})`]: '{{verb}} {{outcome}}' },
    },
    {
      title: 'Waiting for a request, 99 %',
      as: 'lines',
      unit: 's',
      queries: {
        [`histogram_quantile(0.99, sum by (le, verb) (${rate('maxbrod_storage_request_seconds_bucket')}))`]: '{{verb}}',
      },
    },
    {
      title: 'Bytes to and from the store',
      as: 'lines',
      unit: 'Bps',
      queries: {
        [`sum(${rate('maxbrod_storage_sent_bytes_total')})`]: 'sent',
        [`sum(${rate('maxbrod_storage_received_bytes_total')})`]: 'received',
      },
    },
    {
      title: 'Requests that were repeated',
      as: 'lines',
      unit: 'ops',
      queries: { [`sum by (verb) (${rate('maxbrod_storage_retries_total')})`]: '{{verb}}' },
    },
  ]
}
