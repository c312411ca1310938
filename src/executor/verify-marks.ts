/** Who has read a plan partition's chains back, up to which of its entries: in the metadata of its commit, for the other executors. */
export interface VerifyMark {
  readonly end: number
  readonly by: string
}

export function markText({ end, by }: VerifyMark): string {
  return `verified ${end} ${by}`
}

/** Undefined for a commit that says no such thing. */
export function readMark(metadata: string): VerifyMark | undefined {
  const [, end, by] = /^verified (\d{1,15}) (.+)$/.exec(metadata) ?? []
  return end === undefined || by === undefined ? undefined : { end: Number(end), by }
}
