/** A flag of another program that no option of ours stands for. */
export interface OtherFlag {
  /** Without dashes. */
  readonly flags: readonly string[]
  /** Of these commands only; undefined for all. */
  readonly of?: readonly string[]
  /** What does the same here: for a hint, and for docs/config.md. */
  readonly instead: string
}

/** Of kafka-backup and of backup connectors. The first that fits counts. */
export const otherFlags: readonly OtherFlag[] = [
  {
    flags: ['encryption-key'],
    of: ['backup'],
    instead:
      'a key on a command line is open to everybody on this host: age-keygen -o backup.key, then --encrypt-to with its recipient age1…, see docs/encryption.md',
  },
  { flags: ['encryption-key'], instead: '--identity and the file of the secret key, see docs/encryption.md' },
  {
    flags: ['point-in-time-interval'],
    instead: 'maxbrod groups-backup --interval makes restoration points, as a process of its own beside maxbrod backup',
  },
  {
    flags: ['restore-offsets'],
    instead: 'maxbrod groups-restore --execute restores consumer groups, while maxbrod restore runs or after it',
  },
  {
    flags: ['topic', 't', 'topics-regex', 'restoration-point', 'ignore-partitions', 'ignore-errors', 'dry-run'],
    of: ['restore'],
    instead: 'it belongs to maxbrod plan, which says what is restored; maxbrod restore --exit-when-done then does it',
  },
  {
    flags: ['swift-region'],
    instead: 'Swift is reached through S3Proxy: --s3-endpoint and --storage s3://container/prefix, see docs/stores.md',
  },
  {
    flags: ['compression'],
    instead: 'files of maxbrod backup are compressed by zstd in any case; --compression-level says how much',
  },
  {
    flags: ['task-limit'],
    of: ['backup'],
    instead: '--memory bounds what a worker holds, --min-file-size and --max-file-age what waits on its disk',
  },
  { flags: ['s3.profile.name'], instead: 'set the environment variable AWS_PROFILE' },
  { flags: ['tasks.max'], instead: 'start so many processes: they share the partitions' },
  {
    flags: ['connector.class', 'key.converter', 'value.converter'],
    instead: 'leave it out: no Kafka Connect is needed, and bytes are kept as they are',
  },
  {
    flags: ['compacted.log.backup.path.configuration', 'compacted.log.backup.login.name.jaas.configuration'],
    instead: "--command-config takes a file of Kafka's client settings, sasl.jaas.config among them",
  },
  {
    flags: [
      'compacted.log.backup.initial.status',
      'compacted.log.backup.length.hours',
      'compacted.log.backup.interval.offsets',
    ],
    instead: 'one backup is enough for compacted topics: maxbrod compact makes a file set of the latest records of it',
  },
  { flags: ['instance.name.restore'], instead: 'maxbrod plan --use-compacted takes what maxbrod compact made' },
]
