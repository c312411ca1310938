import { Aborted } from './aborted.ts'

/**
 * How a command is asked to end. `drain` finishes the piece in hand, `abort` lets go now; aborting implies draining.
 */
export interface Stop {
  /** First SIGTERM or SIGINT: take no new work, finish the piece in hand. */
  readonly draining: AbortSignal
  /** Second signal, or the drain deadline: let go now. */
  readonly aborted: AbortSignal
}

export interface StopControl extends Stop {
  drain(reason: string): void
  abort(reason: string): void
}

export function newStop(): StopControl {
  const draining = new AbortController()
  const aborted = new AbortController()
  return {
    draining: draining.signal,
    aborted: aborted.signal,
    drain: reason => draining.abort(new Aborted(reason)),
    abort(reason) {
      draining.abort(new Aborted(reason))
      aborted.abort(new Aborted(reason))
    },
  }
}

/** A control that also ends when `outer` does: for work inside a command that must end earlier than the command. */
export function stopWithin(outer: Stop): StopControl & Disposable {
  const inner = newStop()
  const drain = () => inner.drain('the command is draining')
  const abort = () => inner.abort('the command was aborted')
  if (outer.draining.aborted) drain()
  if (outer.aborted.aborted) abort()
  outer.draining.addEventListener('abort', drain)
  outer.aborted.addEventListener('abort', abort)
  return {
    ...inner,
    [Symbol.dispose]() {
      outer.draining.removeEventListener('abort', drain)
      outer.aborted.removeEventListener('abort', abort)
    },
  }
}
