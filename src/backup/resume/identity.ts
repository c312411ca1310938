/** Whose records a partition's tiles are. */
export interface PartitionIdentity {
  readonly archiveId: string
  readonly clusterId: string
  /** Undefined for brokers without topic ids. */
  readonly topicId: string | undefined
  /** Leader epoch of the lineage; undefined for the first one. */
  readonly lineage: number | undefined
}
