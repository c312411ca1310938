/** What nobody can bring any more, from where the files end up to `to`. */
export interface Loss {
  readonly to: number
  readonly reason: string
  /** Somebody may hold them yet. */
  readonly isDoubtful?: boolean
}

export const EXPIRED = 'Kafka no longer has them, and no file does'
export const EXPIRING = 'Kafka no longer has them: only a worker that had read them before can store them yet'
