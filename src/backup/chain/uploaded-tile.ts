import type { Gap } from '../../format/tile-header.ts'

/** A file that has become durable. */
export interface UploadedTile {
  readonly key: string
  readonly from: number
  readonly to: number
  readonly records: number
  readonly bytes: number
  readonly gaps: readonly Gap[]
  /** Why it was closed. */
  readonly reason: string
  /** From closing it until it was durable. */
  readonly seconds: number
}
