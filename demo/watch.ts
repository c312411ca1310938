import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../test/helpers/eventually.ts'
import type { Referee } from '../test/helpers/referee.ts'
import type { Produced } from './load.ts'
import type { Stage } from './stage.ts'

/** Runs `work` with a bar for each topic; `reached` resolves when that share of all records is in the targets. */
export async function withProgress(
  stage: Stage,
  referee: Referee,
  produced: readonly Produced[],
  work: (reached: (share: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const total = produced.reduce((sum, { records }) => sum + records, 0)
  const watched = produced.map(({ topic, records }) => ({ topic, records, done: 0, task: stage.watch(topic, records) }))
  let share = 0
  const over = new AbortController()
  const watching = (async () => {
    while (!over.signal.aborted) {
      await sleep(100)
      for (const one of watched) {
        const done = (await referee.offsets(one.topic)).reduce((sum, { end }) => sum + Number(end), 0)
        one.task.add(done - one.done)
        one.done = done
      }
      share = watched.reduce((sum, { done }) => sum + done, 0) / total
    }
  })()
  try {
    await work(wanted =>
      eventually(`${wanted * 100} % are restored`, () => share >= wanted, { timeoutMs: 120_000 }).then(() => undefined),
    )
  } finally {
    over.abort()
    await watching
    for (const { task, records, done } of watched) {
      task.add(records - done)
      task[Symbol.dispose]()
    }
  }
}
