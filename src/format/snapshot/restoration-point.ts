import { snapshotKind } from './container.ts'

/**
 * How far one partition went at the moment of a restoration point: all that lies below `end` was committed then, and nothing
 * that a consumer group had committed lay beyond it. Field names are those of the file.
 */
export interface PointPartition {
  readonly topic: string
  /** Null for brokers without topic ids. */
  readonly topic_id: string | null
  readonly partition: number
  /** First offset that could be read. */
  readonly log_start: number
  /** Last stable offset. */
  readonly end: number
}

export const restorationPoints = snapshotKind<PointPartition>({
  type: 'record',
  name: 'PointPartition',
  namespace: 'maxbrod',
  fields: [
    { name: 'topic', type: 'string' },
    { name: 'topic_id', type: ['null', 'string'], default: null },
    { name: 'partition', type: 'int' },
    { name: 'log_start', type: 'long' },
    { name: 'end', type: 'long' },
  ],
})

/** The entry of a point's header that names its group snapshot: a key of the same archive. */
export const POINT_GROUPS_FACT = 'groups'
