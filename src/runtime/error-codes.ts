/**
 * Every ending that somebody can act on: its exit code and the paragraph of docs/errors.md.
 *
 * Exit codes: 1 failed · 2 usage or configuration · 3 finished, but partial · 4 holes or corruption found ·
 * 5 gave up after retries, a restart may help · 6 refused for safety · 10 no backup there · 12 rights refused.
 * An unknown code must be treated as a failure by scripts.
 */
export const errorCodes = {
  USAGE: [
    2,
    'A flag, an environment variable or a configuration file cannot be understood. Nothing was contacted yet.',
  ],
  PORT_IN_USE: [
    2,
    'A port that was named on the command line is taken. Name another one, or 0 to switch the server off.',
  ],
  NODE_TOO_OLD: [2, 'maxbrod needs Node 24.12 or later and found neither that nor the Node it brings along.'],

  KAFKA_UNREACHABLE: [
    5,
    'No broker of the list answered in time. Check the addresses, the listener and the network; then start again.',
  ],
  KAFKA_GAVE_UP: [
    5,
    'A broker went on answering with a temporary error until the deadline. Nothing was lost; start again.',
  ],
  KAFKA_AUTH: [
    12,
    'The cluster refused the credentials or the rights of this user, or one side does not trust the certificate of the other. The message names the operation and the resource.',
  ],
  KAFKA_PROTOCOL: [
    1,
    'A broker answered with an error that retrying cannot heal, or with bytes that are not a valid answer.',
  ],
  KAFKA_TOO_OLD: [2, 'The broker does not offer an API version that this command needs.'],
  GROUP_FENCED: [
    6,
    'Another process joined the consumer group under the same worker name. Two workers need two names and two working directories.',
  ],
  GROUP_ACTIVE: [
    6,
    'A consumer group has members, so nobody else may commit its offsets. Stop them, wait for their session time-out, and try again.',
  ],
  GROUPS_VANISHED: [
    6,
    'The cluster has no consumer group at all, and the backup knows some: it may be a new cluster, or a user who may see none. No snapshot was written; the older ones are all there.',
  ],
  GROUP_PROTOCOL: [
    6,
    'The consumer group is used by other software, with another assignment protocol. Choose another --group-id.',
  ],
  OFFSET_ABOVE_SAFE: [1, 'An offset lies above 2^53 − 1. No Kafka partition reaches that; the answer is corrupt.'],
  BATCH_CORRUPT: [
    4,
    'A record batch fails its checksum or cannot be decoded after it was fetched again over a new connection. Another replica may be sound: make it the leader. If none is, --on-corrupt gap leaves the batch out and declares it.',
  ],
  BATCH_MAGIC: [
    4,
    'A segment still holds message format 0 or 1 (before Kafka 0.11). Let the broker rewrite it, or copy the topic with a Kafka tool first.',
  ],

  STORAGE_UNREACHABLE: [
    5,
    'The object store did not answer in time. Check the endpoint and the network; then start again.',
  ],
  STORAGE_AUTH: [
    12,
    'The object store refused the credentials or the rights. The message names the operation and the key.',
  ],
  STORAGE_REFUSED: [1, 'The object store answered with an error that retrying cannot heal.'],
  STORAGE_UNCONDITIONAL: [
    2,
    'The store ignores If-None-Match, so two workers could overwrite each other. Use a store that honours it, or say --allow-unconditional-put and run one worker only.',
  ],
  OBJECT_CHANGED: [
    4,
    'An object is not the one that was planned: its ETag changed between listing and reading. Objects of a backup are never rewritten; find out who did.',
  ],
  OBJECT_MISSING: [4, 'An object that was listed is gone.'],
  OBJECT_CORRUPT: [
    4,
    'A backup file is truncated, altered or not what its name and header say. The message names the key and the first thing that is wrong.',
  ],
  OBJECT_LIMIT: [4, 'A backup file exceeds a limit that protects the reader, such as --max-record-bytes.'],
  NO_IDENTITY: [
    12,
    'A backup file is encrypted, and no secret key was given that opens it. Nothing is lost: start again with --identity and the file that holds the key of one of its recipients.',
  ],
  NOT_ENCRYPTED: [
    6,
    'A backup file is not encrypted, and --require-encryption refuses such files; or one that may be made of encrypted files would be stored plain. The message names them.',
  ],

  BACKUP_NOT_FOUND: [
    10,
    'There is no backup at that storage URL and prefix, or nothing in it matches the selection. The message names the prefixes that do exist.',
  ],
  FOREIGN_CLUSTER: [
    6,
    'The files under this prefix come from another Kafka cluster. Use another prefix for each cluster.',
  ],
  FOREIGN_ARCHIVE: [
    6,
    'The consumer group has commits that belong to another archive. Use another --group-id, or the storage it was used with.',
  ],
  TILE_CONFLICT: [
    6,
    'Another file stands where ours must go, and it is not a valid tile of the same topic. Our bytes were kept under @conflicts/.',
  ],
  LOG_BEHIND_BACKUP: [
    6,
    'Kafka holds less of a partition than the backup does: the partition lost records. The backup is safe; nothing is added to that partition until Kafka has passed it.',
  ],
  TILING_HOLE: [
    4,
    'The files of a partition do not cover a range of offsets without a hole. The message lists the missing ranges.',
  ],
  CHECK_FAILED: [
    4,
    'Something that the command needs is not there: maxbrod check says what, and how to mend it. Nothing was begun.',
  ],
  ARCHIVE_UNSOUND: [
    4,
    'Files of the backup are missing, damaged, replaced or in the wrong place. The result names each of them, with the offsets that it is about.',
  ],
  DRILL_DIFFERS: [
    4,
    'What a drill restored is not what the backup holds. The result names each record by partition and offset, and what of it is other.',
  ],
  INCARNATIONS: [
    4,
    'A topic was deleted and created again while it was backed up; the backup holds several incarnations of it.',
  ],
  CLOCK_AHEAD: [
    6,
    'The clock of this machine is more than an hour ahead of the one that the object store has, and files would be pruned for older than they are. Nothing was changed; set the clock (NTP) and start again.',
  ],
  WORKER_LOCKED: [6, 'Another process uses this working directory. Give every worker one of its own.'],
  WORKER_UNREACHABLE: [
    5,
    'No worker answered on the flush port of this host. Look whether one runs here, and with which --flush-port.',
  ],
  DISK: [5, 'The working directory cannot be written or read. Check space and rights.'],
  PARTIAL: [3, 'The command finished, but something was left out. The message and the result list it.'],

  PLAN_FOREIGN: [
    6,
    'The plan topic holds records that are not a plan of this kind, a plan with another mapping or of another restore, or one that began without these files. Use another --plan-topic.',
  ],
  PLAN_NOT_FOUND: [10, 'The plan topic does not exist or is empty. Run maxbrod plan first.'],
  PLAN_CORRUPT: [4, 'The plan topic lacks records or they are out of order. Plan again into a new topic.'],
  TARGET_MISSING: [
    6,
    'A target topic does not exist. Create it with the same number of partitions, or plan with --create-topics.',
  ],
  TARGET_PARTITIONS: [6, 'A target topic has another number of partitions than its source.'],
  TARGET_NOT_EMPTY: [6, 'A target partition holds records that this restore did not write.'],
  TARGET_REPLACED: [
    6,
    'A target topic was deleted and created again after planning. Plan again into a new plan topic.',
  ],
  TARGET_SPOILED: [
    6,
    'A target partition holds something else than the restore put there: another producer wrote to it, a late copy arrived, or the broker changed the times of records. Restore into a new topic.',
  ],
  TARGET_CHANGED: [
    6,
    'The configuration that keeps a target safe during the restore was changed by someone. See who manages the topic, then start the executors again.',
  ],
  TARGET_REFUSED: [
    3,
    'The target cluster refuses a record: too large, or a timestamp it does not allow. The message names the limit to raise.',
  ],
  TARGET_LOSING: [
    6,
    'The head of a target partition moved: retention is deleting restored records. Raise the retention, then restore into a new topic.',
  ],
} as const satisfies Record<string, readonly [exit: number, doc: string]>

export type ErrorCode = keyof typeof errorCodes

/** Exit code of the process for an error code. */
export function exitCodeOf(code: ErrorCode): number {
  return errorCodes[code][0]
}
