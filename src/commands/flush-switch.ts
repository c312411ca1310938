import type { Flushed } from '../backup/flush.ts'
import type { Reply, Routes } from '../observe/http.ts'
import { startHttp } from '../observe/http.ts'
import type { Logger } from '../observe/logger.ts'
import { unlessAborted } from '../runtime/aborted.ts'
import { messageOf } from '../runtime/errors.ts'

/** Where `maxbrod flush` and the flush of kafka-data-keep ask. */
export const FLUSH_PATH = '/__/flush'

export interface FlushSwitch extends AsyncDisposable {
  /** From now on requests are carried out by this worker, until disposed. */
  connect(flush: () => Promise<Flushed>): Disposable
}

export interface FlushSwitchOptions {
  readonly port: number
  readonly isNamed: boolean
  readonly logger: Logger
  readonly onFlushSignal: (flush: () => void) => Disposable
  /** What else can be asked for at the same port. */
  readonly routes?: Routes
}

/**
 * The ways to ask a worker for a flush: SIGUSR1, and `POST /__/flush` on loopback, which answers when all is durable, or at once
 * with `?wait=false`. A client that goes away changes nothing.
 */
export async function openFlushSwitch(options: FlushSwitchOptions): Promise<FlushSwitch> {
  const { port, isNamed, logger, onFlushSignal } = options
  let worker: (() => Promise<Flushed>) | undefined
  const routes: Routes = {
    ...options.routes,
    async [`POST ${FLUSH_PATH}`]({ query, signal }) {
      if (worker === undefined) return { status: 503, body: 'the worker is not ready yet, or ends\n' }
      const flushed = worker()
      if (query.get('wait') === 'false') {
        logFlush(flushed, logger)
        return { status: 202, body: 'asked for\n' }
      }
      const result = await unlessAborted(flushed, signal)
      return result === undefined ? { body: '' } : json(result)
    },
  }
  const server = await startHttp({ routes, port, flag: '--flush-port', isNamed, bind: 'loopback', logger })
  const listening = onFlushSignal(() => {
    if (worker === undefined) logger.warn('the worker is not ready to flush yet, or ends')
    else logFlush(worker(), logger)
  })
  return {
    connect(flush) {
      worker = flush
      return { [Symbol.dispose]: () => void (worker = undefined) }
    },
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]()
      await server?.[Symbol.asyncDispose]()
    },
  }
}

function json(result: Flushed): Reply {
  return { type: 'application/json', body: `${JSON.stringify(result)}\n` }
}

/** For a flush that nobody waits for. */
function logFlush(flushed: Promise<Flushed>, logger: Logger): void {
  flushed.then(
    ({ files, left, seconds }) => logger.info({ files: files.length, left: left.length, seconds }, 'flushed'),
    (error: unknown) => logger.error({ reason: messageOf(error) }, 'could not flush'),
  )
}
