import type { Clock } from '../runtime/clock.ts'
import type { TaskState } from './bar.ts'
import { etaMs } from './bar.ts'
import type { Logger } from './logger.ts'
import type { Progress } from './progress.ts'
import { WatchedTasks } from './watched-tasks.ts'

const everyMs = 30_000
const linesMax = 10

/** Progress in a log: a line for each task every half a minute, and one when it ends. */
export function progressLines(clock: Clock, logger: Logger): Progress & Disposable {
  const tasks = new WatchedTasks(clock, last => logger.info(facts(last), 'progress: ended'))
  const ticking = clock.every(everyMs, () => {
    const states = tasks.states()
    for (const state of states.slice(0, linesMax)) logger.info(facts(state), 'progress')
    if (states.length > linesMax) logger.info({ tasks: states.length - linesMax }, 'progress: more tasks')
  })
  return { task: (label, work) => tasks.task(label, work), [Symbol.dispose]: () => ticking[Symbol.dispose]() }
}

function facts(state: TaskState): Record<string, unknown> {
  const { label, unit, done, total, perSecond } = state
  const leftMs = etaMs(state)
  return {
    task: label,
    unit,
    done,
    ...(total === undefined ? {} : { total }),
    perSecond: Math.round(perSecond),
    ...(leftMs === undefined ? {} : { etaSeconds: Math.ceil(leftMs / 1_000) }),
  }
}
