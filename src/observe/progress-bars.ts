import type { Clock } from '../runtime/clock.ts'
import type { BarLayout } from './bar.ts'
import { bar } from './bar.ts'
import type { Progress } from './progress.ts'
import type { Screen } from './screen.ts'
import { WatchedTasks } from './watched-tasks.ts'

const repaintMs = 100
const barsMax = 10

export interface BarsOptions {
  readonly clock: Clock
  readonly screen: Screen
  /** Prints a finished task's last state, which stays. */
  readonly print: (line: string) => void
  /** Of the terminal now; users resize them. */
  readonly columns: () => number
  readonly isColored: boolean
}

/** Progress on a terminal: a bar for each task, repainted ten times a second. Dispose of it before the result is printed. */
export function progressBars({ clock, screen, print, columns, isColored }: BarsOptions): Progress & Disposable {
  const layout = (labels: readonly string[]): BarLayout => ({
    columns: columns(),
    labelColumns: Math.max(...labels.map(label => label.length)),
    isColored,
  })
  const tasks = new WatchedTasks(clock, last => print(`${bar(last, layout([last.label]))}\n`))
  const painting = clock.every(repaintMs, () => {
    const states = tasks.states()
    const shown = states.slice(0, barsMax)
    const look = layout(shown.map(({ label }) => label))
    const more = states.length > barsMax ? [`… and ${states.length - barsMax} more`] : []
    screen.show([...shown.map(state => bar(state, look)), ...more])
  })
  return {
    task: (label, work) => tasks.task(label, work),
    [Symbol.dispose]() {
      painting[Symbol.dispose]()
      screen.show([])
    },
  }
}
