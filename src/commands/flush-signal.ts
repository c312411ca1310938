import type { Logger } from '../observe/logger.ts'
import type { World } from './world.ts'

export interface FlushSignals extends Disposable {
  /** Calls `flush` for each SIGUSR1 until disposed. */
  readonly onFlushSignal: (flush: () => void) => Disposable
}

/** Takes SIGUSR1 from the beginning: unheard, it would end the process. */
export function listenForFlush(world: Pick<World, 'onSignal'>, logger: Logger): FlushSignals {
  const listeners = new Set<() => void>()
  const listening = world.onSignal('SIGUSR1', () => {
    logger.info({ signal: 'SIGUSR1' }, listeners.size === 0 ? 'nothing to flush here' : 'asked to flush')
    for (const flush of listeners) flush()
  })
  return {
    onFlushSignal(flush) {
      listeners.add(flush)
      return { [Symbol.dispose]: () => void listeners.delete(flush) }
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  }
}
