import type { Logger } from '../observe/logger.ts'
import type { StopControl } from '../runtime/stop.ts'
import { newStop } from '../runtime/stop.ts'
import type { StopSignal } from './ending.ts'
import type { World } from './world.ts'

export interface SignalledStop extends Disposable {
  readonly stop: StopControl
  /** The signal that asked to stop, the first one. */
  caught(): StopSignal | undefined
}

/** The first SIGINT or SIGTERM drains, the second one aborts; each is one line in the log. */
export function stopOnSignals(world: Pick<World, 'onSignal'>, logger: Logger): SignalledStop {
  const stop = newStop()
  let first: StopSignal | undefined
  const onSignal = (signal: StopSignal) => () => {
    if (first === undefined) {
      logger.info({ signal }, 'stopping: what is in hand is finished first; a second signal stops at once')
      first = signal
      stop.drain(signal)
    } else {
      logger.warn({ signal }, 'stopping at once')
      stop.abort(signal)
    }
  }
  using stack = new DisposableStack()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) stack.use(world.onSignal(signal, onSignal(signal)))
  const owned = stack.move()
  return { stop, caught: () => first, [Symbol.dispose]: () => owned.dispose() }
}
