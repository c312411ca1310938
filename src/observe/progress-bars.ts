import type { Clock } from '../runtime/clock.ts'
import type { TaskState } from './bar.ts'
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
  const bars = (states: readonly TaskState[]) => {
    const labelColumns = Math.max(...states.map(({ label }) => label.length))
    return states.map(state => bar(state, { columns: columns(), labelColumns, isColored }))
  }
  const paint = () => {
    const states = tasks.states()
    const more = states.length > barsMax ? [`… and ${states.length - barsMax} more`] : []
    screen.show([...bars(states.slice(0, barsMax)), ...more])
  }
  const tasks = new WatchedTasks(clock, last => {
    paint()
    for (const line of bars([last])) print(`${line}\n`)
  })
  const painting = clock.every(repaintMs, paint)
  return {
    task: (label, work) => tasks.task(label, work),
    [Symbol.dispose]() {
      painting[Symbol.dispose]()
      screen.show([])
    },
  }
}
