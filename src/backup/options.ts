import { regexList } from '../config/kinds-of-list.ts'
import { bytes, count, duration, port, rate } from '../config/kinds-of-number.ts'
import { looseRegexes, milliseconds, plainNames, switchBetween } from '../config/kinds-of-others.ts'
import { choice, flag, path, text } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { WHEN_DISK_IS_FULL } from './spool/disk-room.ts'

export const backupOptions = section('backup', {
  topics: regexList({
    default: ['.*'],
    foreign: [
      { flag: 'topics-regex', env: 'KAFKA_TOPICS_REGEX', kind: looseRegexes },
      { flag: 'topic', kind: plainNames },
      { flag: 't', kind: plainNames },
    ],
    doc: "Topics to back up: regexes of whole names. Kafka's internal topics are not among them without --include-internal.",
  }),
  excludeTopics: regexList({
    foreign: [{ flag: 'exclude-topics-regex', env: 'KAFKA_EXCLUDE_TOPICS_REGEX', kind: looseRegexes }],
    doc: 'Topics to leave out, even if --topics matches them.',
  }),
  includeInternal: flag({
    isAdvanced: true,
    doc: "Back up Kafka's internal topics that --topics matches, too: __consumer_offsets, __transaction_state. They can only be restored under other names.",
  }),
  groupId: text({
    default: 'maxbrod',
    placeholder: 'GROUP',
    env: ['KAFKA_GROUP_ID'],
    doc: 'Consumer group of the workers. All workers of one backup have the same, and every backup another.',
  }),
  once: flag({
    foreign: [{ flag: 'continuous', kind: switchBetween(false, true) }],
    doc: 'End when all is backed up that is there at the start.',
  }),
  minFileSize: bytes({
    default: '5MiB',
    min: '1KiB',
    doc: 'Upload a file once it holds this much, compressed.',
  }),
  maxFileSize: bytes({
    min: '64KiB',
    isAdvanced: true,
    foreign: [{ flag: 'max-chunk-size' }],
    doc: 'Upload no larger file, except for a single larger record. A file is closed before a block that might be too much for it.',
  }),
  maxFileRecords: count({
    min: '1',
    isAdvanced: true,
    foreign: [{ flag: 'flush.size' }],
    doc: 'Upload no file with more records.',
  }),
  maxFileAge: duration({
    default: '5m',
    min: '100ms',
    foreign: [{ flag: 'rotate.interval.ms', kind: milliseconds }],
    doc: 'Upload a smaller file once it is this old. Its age counts from the first record, or the first offset without one.',
  }),
  topicRules: path({
    isAdvanced: true,
    doc: 'A file of rules for single topics: when their files are closed, and how the store keeps them. See docs/backup.md.',
  }),
  idleAfter: duration({
    default: '5s',
    min: '100ms',
    isAdvanced: true,
    foreign: [{ flag: 'partition-idle-threshold', env: 'PARTITION_IDLE_THRESHOLD' }],
    doc: 'Close the open block of a partition that got nothing new for this long, to save memory.',
  }),
  onDiskFull: choice(WHEN_DISK_IS_FULL, {
    default: 'pause',
    isAdvanced: true,
    doc: 'When the disk of --working-dir is full: pause reads on once uploads have made room, fail ends the worker (exit 5).',
  }),
  maxOpenFiles: count({
    default: '256',
    min: '2',
    isAdvanced: true,
    doc: 'Files of the working folder to hold open at a time. Others are opened again when they are written to.',
  }),
  compressionLevel: count({
    default: '1',
    min: '1',
    max: '19',
    isAdvanced: true,
    doc: 'Level of zstd. More than 3 costs much time and gains little.',
  }),
  onCorrupt: choice(['stop', 'gap'], {
    default: 'stop',
    isAdvanced: true,
    doc: 'What to do at a batch that is corrupt in Kafka. With stop its partition waits for somebody to act, with gap the batch is left out and declared.',
  }),
  flushOnStop: flag({
    doc: 'Upload small files, too, when asked to stop. Without it they are read again later, and files stay large, which restores faster.',
  }),
  workingDir: path({
    default: './maxbrod-data',
    doc: 'Folder for records not uploaded yet. Each worker needs one of its own; losing it costs time, not records.',
  }),
  workerName: text({
    placeholder: 'NAME',
    doc: 'Name of this worker in the group. Without it a random one, kept in the working folder, so that a restart does not move partitions.',
  }),
  sessionTimeout: duration({
    default: '30s',
    min: '1s',
    max: '24d',
    isAdvanced: true,
    doc: 'How long the group waits for a silent worker before others take over.',
  }),
  consumeDelay: duration({
    default: '0s',
    isAdvanced: true,
    doc: 'Wait this long after joining the group before anything is read, so that workers that start together can share first.',
  }),
  memory: bytes({
    default: '256MiB',
    min: '16MiB',
    doc: 'How much to hold in memory. Fetching waits for room.',
  }),
  maxRate: rate({
    min: '1KiB',
    doc: 'Read at most this much per second. Counted as stored in Kafka; without it as fast as possible.',
  }),
  flushPort: port({
    default: '8082',
    foreign: [{ flag: 'flush-server-port', env: 'FLUSH_SERVER_PORT' }],
    doc: 'Port of 127.0.0.1 for maxbrod flush, 0 for none.',
  }),
  enableFlushServer: flag({
    default: 'true',
    isAdvanced: true,
    doc: 'Listen on --flush-port; false is the same as --flush-port 0.',
  }),
})

export type BackupOptions = Values<typeof backupOptions> & {
  /** How often to look for new topics: the Kafka floor's option. */
  readonly metadataMaxAge: number
}
