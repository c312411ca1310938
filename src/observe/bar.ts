import { styleText } from 'node:util'
import { formatBytes, formatCount, formatDuration } from '../config/units.ts'
import type { Work } from './progress.ts'

/** What is known of a task at one moment. */
export interface TaskState {
  readonly label: string
  readonly unit: Work['unit']
  readonly done: number
  readonly total: number | undefined
  readonly perSecond: number
  readonly elapsedMs: number
}

export interface BarLayout {
  readonly columns: number
  /** Width of the longest label shown, so that bars stand below each other. */
  readonly labelColumns: number
  readonly isColored: boolean
}

const barColumns = 20

/** `orders  ████████░░░░░░░░░░░░  42%  4.20M of 10.0M records  310k/s  eta 18s`, cut to the width of the terminal. */
export function bar(task: TaskState, { columns, labelColumns, isColored }: BarLayout): string {
  const { label, done, total, unit } = task
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
  const filled = Math.floor((share ?? 0) * barColumns)
  const parts = [
    label.padEnd(labelColumns),
    share === undefined ? '' : `${'█'.repeat(filled)}${'░'.repeat(barColumns - filled)}`,
    share === undefined ? '' : `${Math.floor(share * 100)}%`.padStart(4),
    `${amount(done, unit)}${total === undefined ? '' : ` of ${amount(total, unit)}`}${unit === 'bytes' ? '' : ` ${unit}`}`,
    `${amount(task.perSecond, unit)}/s`,
    timing(task),
  ]
  const line = parts
    .filter(part => part !== '')
    .join('  ')
    .slice(0, Math.max(1, columns - 1))
  return isColored ? line.replace(/█+/, full => styleText('green', full, { validateStream: false })) : line
}

/** How many ms are left at the present rate; undefined when nobody can tell. */
export function etaMs({ done, total, perSecond }: TaskState): number | undefined {
  if (total === undefined || (perSecond <= 0 && done < total)) return undefined
  return done >= total ? 0 : ((total - done) * 1_000) / perSecond
}

function timing(task: TaskState): string {
  const leftMs = etaMs(task)
  if (leftMs === undefined) return ''
  return leftMs === 0
    ? `in ${formatDuration(task.elapsedMs)}`
    : `eta ${formatDuration(Math.ceil(leftMs / 1_000) * 1_000)}`
}

function amount(value: number, unit: Work['unit']): string {
  return unit === 'bytes' ? formatBytes(value) : formatCount(value)
}
