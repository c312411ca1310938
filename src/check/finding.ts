/** FAIL: the command will not do its work. WARN: it will, but somebody should know. */
export type Verdict = 'OK' | 'WARN' | 'FAIL'

/** One line of the answer. */
export interface Finding {
  /** What was looked at: `brokers`, `rights on topics`. */
  readonly check: string
  readonly verdict: Verdict
  /** What was found, with names and numbers. */
  readonly says: string
  /** The next step; for everything that is not OK. */
  readonly fix?: string
}

export const ok = (check: string, says: string): Finding => ({ check, verdict: 'OK', says })

export const warn = (check: string, says: string, fix: string): Finding => ({ check, verdict: 'WARN', says, fix })

export const fail = (check: string, says: string, fix: string): Finding => ({ check, verdict: 'FAIL', says, fix })

/** Of many, so many are named. */
export const NAMED = 5

/** The first few names, and how many there are. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ')
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown
}
