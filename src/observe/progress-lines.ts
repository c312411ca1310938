import type { Clock } from '../runtime/clock.ts'
import type { TaskState } from './bar.ts'
import { etaMs } from './bar.ts'
import type { LogFacts, Logger } from './logger.ts'
import type { Progress } from './progress.ts'
import { WatchedTasks } from './watched-tasks.ts'

const everyMs = 30_000
const linesMax = 10

/** Progress in a log: a line for each task every half a minute, and one when it ends. */
export function progressLines(clock: Clock, logger: Logger): Progress & Disposable {
  const tasks = new WatchedTasks(clock, last =>
    logger.info({ ...amounts(last), seconds: last.elapsedMs / 1_000 }, 'progress: ended'),
  )
  const ticking = clock.every(everyMs, () => {
    const states = tasks.states()
    for (const state of states.slice(0, linesMax)) logger.info({ ...amounts(state), ...eta(state) }, 'progress')
    if (states.length > linesMax) logger.info({ tasks: states.length - linesMax }, 'progress: more tasks')
  })
  return { task: (label, work) => tasks.task(label, work), [Symbol.dispose]: () => ticking[Symbol.dispose]() }
}

function amounts({ label, unit, done, total, perSecond }: TaskState): LogFacts {
  return { task: label, unit, done, ...(total === undefined ? {} : { total }), perSecond: Math.round(perSecond) }
}

function eta(state: TaskState): LogFacts {
  const leftMs = etaMs(state)
  return leftMs === undefined ? {} : { etaSeconds: Math.ceil(leftMs / 1_000) }
}
