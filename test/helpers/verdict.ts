import type { AckedLedger, LedgerTopic } from './acked-ledger.ts'
import { ledgerContent } from './acked-ledger.ts'
import type { CanonicalRecord } from './records.ts'

/** How what came back differs from what was acknowledged, in records. */
export interface Verdict {
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
  readonly altered: number
  /** There, and never acknowledged or aborted. */
  readonly phantom: number
}

/** Compares a restored topic, as the referee reads it with `restored: true`, with the ledger of its source. */
export function verdictOf(
  ledger: Pick<AckedLedger, 'owed'>,
  topic: LedgerTopic,
  restored: readonly CanonicalRecord[],
): Verdict {
  const sum = { lost: 0, doubled: 0, reordered: 0, altered: 0, phantom: 0 }
  for (let partition = 0; partition < topic.partitions; partition++) {
    const owed = new Map(ledger.owed(topic.name, partition))
    const seen = new Set<string>()
    let last = -1n
    for (const record of restored.filter(one => one.partition === partition)) {
      const offset = record.sourceOffset ?? 'none'
      const content = owed.get(offset)
      if (content === undefined) sum.phantom++
      else if (seen.has(offset)) sum.doubled++
      else if (content !== ledgerContent(record)) sum.altered++
      if (offset !== 'none' && BigInt(offset) < last) sum.reordered++
      if (offset !== 'none') last = BigInt(offset)
      seen.add(offset)
    }
    sum.lost += [...owed.keys()].filter(offset => !seen.has(offset)).length
  }
  return sum
}

export function addVerdicts(verdicts: readonly Verdict[]): Verdict {
  const add = (name: keyof Verdict) => verdicts.reduce((sum, verdict) => sum + verdict[name], 0)
  return {
    lost: add('lost'),
    doubled: add('doubled'),
    reordered: add('reordered'),
    altered: add('altered'),
    phantom: add('phantom'),
  }
}
