import type { Coverage } from '../archive/coverage.ts'
import type { RestorePart } from '../archive/report/model.ts'
import { pageOfCoverage } from '../archive/report/page-of-coverage.ts'
import { renderPage } from '../archive/report/page.ts'

export interface ReportFacts {
  readonly nowMs: number
  readonly isKafkaAsked: boolean
  /** Of the store. */
  readonly url: string
  readonly version: string
  readonly notes?: readonly string[]
  readonly restore?: RestorePart | undefined
}

/** The page about a backup as a whole, whoever makes it. Pure. */
export function reportOfBackup(found: Coverage, facts: ReportFacts): string {
  const { nowMs, isKafkaAsked, url, version, notes = [], restore } = facts
  const { notes: own, ...view } = pageOfCoverage(found, { nowMs, isKafkaAsked })
  return renderPage({
    ...view,
    notes: [...notes, ...own],
    title: `Backup in ${url}`,
    status: found.status,
    restore,
    madeAtMs: nowMs,
    writer: `maxbrod ${version}`,
  })
}
