import { MaxbrodError } from '../runtime/errors.ts'

/** The protocol errors that mean something here. Source: Kafka protocol guide, "Error Codes". */
const ERRORS = {
  UNKNOWN_SERVER_ERROR: -1,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  REPLICA_NOT_AVAILABLE: 9,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_CONFIG: 40,
  NOT_CONTROLLER: 41,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  SECURITY_DISABLED: 54,
  KAFKA_STORAGE_ERROR: 56,
  SASL_AUTHENTICATION_FAILED: 58,
  UNKNOWN_PRODUCER_ID: 59,
  GROUP_ID_NOT_FOUND: 69,
  LISTENER_NOT_FOUND: 72,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  OFFSET_NOT_AVAILABLE: 78,
  MEMBER_ID_REQUIRED: 79,
  GROUP_MAX_SIZE_REACHED: 81,
  FENCED_INSTANCE_ID: 82,
  INVALID_RECORD: 87,
  THROTTLING_QUOTA_EXCEEDED: 89,
  UNKNOWN_TOPIC_ID: 100,
  INCONSISTENT_TOPIC_ID: 103,
} as const

/** Beside the protocol's: one of the two sides does not trust the other's certificate. Java's clients have it, too. */
export type KafkaErrorName = keyof typeof ERRORS | 'SSL_AUTHENTICATION_FAILED' | `ERROR_${number}`

const NAMES = new Map<number, KafkaErrorName>(
  Object.entries(ERRORS).map(([name, code]) => [code, name as KafkaErrorName]),
)

/** The name of an error code; undefined for 0, which is success. */
export function kafkaErrorName(code: number): KafkaErrorName | undefined {
  return code === 0 ? undefined : (NAMES.get(code) ?? `ERROR_${code}`)
}

/**
 * What an error calls for. `moved`: somebody else leads the partition, or will soon. `coordinator`: the same for a group.
 * `temporary`: ask again. `denied`: rights or credentials. `sequence`: the batch is not the one that comes next. `fenced`:
 * another producer took over. `too large` and `invalid`: the broker will never take this batch. `out of range`: the log does
 * not have that offset.
 */
export type TroubleKind =
  | 'moved'
  | 'coordinator'
  | 'temporary'
  | 'denied'
  | 'sequence'
  | 'fenced'
  | 'too large'
  | 'invalid'
  | 'out of range'
  | 'other'

const KINDS: Readonly<Record<Exclude<TroubleKind, 'other'>, readonly KafkaErrorName[]>> = {
  moved: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_OR_FOLLOWER',
    'REPLICA_NOT_AVAILABLE',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'UNKNOWN_TOPIC_ID',
    'INCONSISTENT_TOPIC_ID',
    'LISTENER_NOT_FOUND',
    'KAFKA_STORAGE_ERROR',
  ],
  coordinator: ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'],
  temporary: [
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'NOT_CONTROLLER',
    'OFFSET_NOT_AVAILABLE',
    'THROTTLING_QUOTA_EXCEEDED',
    'UNKNOWN_SERVER_ERROR',
  ],
  denied: [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'SASL_AUTHENTICATION_FAILED',
    'SSL_AUTHENTICATION_FAILED',
  ],
  sequence: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'DUPLICATE_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'],
  fenced: ['INVALID_PRODUCER_EPOCH'],
  'too large': ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
  invalid: [
    'INVALID_TIMESTAMP',
    'INVALID_RECORD',
    'CORRUPT_MESSAGE',
    'UNSUPPORTED_COMPRESSION_TYPE',
    'POLICY_VIOLATION',
  ],
  'out of range': ['OFFSET_OUT_OF_RANGE'],
}

const KIND_OF = new Map<KafkaErrorName, TroubleKind>(
  Object.entries(KINDS).flatMap(([kind, names]) => names.map(name => [name, kind as TroubleKind] as const)),
)

export function kindOf(error: KafkaErrorName): TroubleKind {
  return KIND_OF.get(error) ?? 'other'
}

/** True when the same request may succeed later. */
export function isTemporary(error: KafkaErrorName): boolean {
  return ['moved', 'coordinator', 'temporary'].includes(kindOf(error))
}

/** A broker's answer that is an error, or no answer: `NETWORK_EXCEPTION` (connection lost) and `REQUEST_TIMED_OUT`. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly error: KafkaErrorName
  /** What was asked: `Metadata`, `OffsetCommit`, … */
  readonly request: string
  readonly detail: string | undefined

  constructor(error: KafkaErrorName, request: string, detail?: string, cause?: unknown) {
    super(
      `${request}: ${error}${detail === undefined ? '' : ` (${detail})`}`,
      cause === undefined ? undefined : { cause },
    )
    this.error = error
    this.request = request
    this.detail = detail
  }
}

const HINTS = new Map<KafkaErrorName, string>([
  ['SASL_AUTHENTICATION_FAILED', 'check user, password and mechanism in --command-config'],
  [
    'SSL_AUTHENTICATION_FAILED',
    'check ssl.truststore and ssl.keystore in --command-config, and the names in the certificates of the brokers',
  ],
])

/** The ending for an operator that a broker's error amounts to once retrying is over. */
export function endingOf(error: KafkaError, doing: string): MaxbrodError {
  if (kindOf(error.error) === 'denied') {
    const hint =
      HINTS.get(error.error) ?? 'grant this user the right: maxbrod check names it, with the kafka-acls.sh command'
    return new MaxbrodError('KAFKA_AUTH', `${doing}: ${error.message}`, { cause: error, hint })
  }
  if (error.error === 'UNSUPPORTED_VERSION')
    return new MaxbrodError('KAFKA_TOO_OLD', `${doing}: ${error.message}`, { cause: error })
  if (isTemporary(error.error)) {
    return new MaxbrodError('KAFKA_GAVE_UP', `${doing}: ${error.message}`, {
      cause: error,
      hint: 'nothing is lost; check the brokers and start again',
    })
  }
  return new MaxbrodError('KAFKA_PROTOCOL', `${doing}: ${error.message}`, { cause: error })
}
