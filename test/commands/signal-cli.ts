/** The real command line with commands that only wait: what is tested is what signals do. */
import { runCli } from '../../src/cli.ts'
import type { Outcome } from '../../src/commands/ending.ts'
import type { Context } from '../../src/commands/command.ts'
import { command } from '../../src/commands/command.ts'
import { secret } from '../../src/config/kinds-of-text.ts'
import { section } from '../../src/config/section.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'

const waits = (name: string, endsByItself: boolean, run: (context: Context) => Promise<Outcome>) => async () =>
  command({
    name,
    summary: name,
    sections: [],
    examples: [],
    endsByItself: () => endsByItself,
    async run(_values, context) {
      // Something must be left to do, else the process ends by itself.
      const timer = setInterval(() => undefined, 1_000)
      try {
        return await run(context)
      } finally {
        clearInterval(timer)
      }
    },
  })

function aborting(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
}

const untilDrained = async ({ logger, stop }: Context): Promise<Outcome> => {
  logger.info('ready')
  await aborting(stop.draining)
  return { result: 'ok', isInterrupted: true, details: { done: 7 }, text: 'done 7\n' }
}

/** Drains for ever, so that only an abort ends it. */
const untilAborted = async ({ logger, stop }: Context): Promise<Outcome> => {
  logger.info('ready')
  await aborting(stop.aborted)
  stop.aborted.throwIfAborted()
  throw new Error('not aborted')
}

const blabs = command({
  name: 'blabs',
  summary: 'blabs',
  sections: [section('sasl', { password: secret({ doc: 'Password.' }) })],
  examples: [],
  endsByItself: () => true,
  run({ sasl: { password } }, { logger }) {
    const text = password?.reveal() ?? ''
    logger.info({ url: `https://user:${text}@host` }, `with ${text}`)
    throw new MaxbrodError('TARGET_SPOILED', `refused ${text}`, { password: text })
  },
})

await runCli({
  ports: ports => ({ ...ports, random: { ...ports.random, id: () => 'wrapped' } }),
  commands: {
    worker: waits('worker', false, untilDrained),
    once: waits('once', true, untilDrained),
    'slow-worker': waits('slow-worker', false, untilAborted),
    'slow-once': waits('slow-once', true, untilAborted),
    flushes: waits('flushes', false, async context => {
      const flushed = new Promise<void>(resolve => void context.onFlushSignal(resolve))
      context.logger.info('ready')
      await flushed
      return { result: 'ok', details: {}, text: 'flushed\n' }
    }),
    blabs: async () => blabs,
    ports: waits('ports', true, async ({ random }) => ({ result: 'ok', details: {}, text: `${random.id()}\n` })),
    partial: waits('partial', true, async () => ({
      result: 'partial',
      details: { left: ['orders-0'] },
      text: 'left orders-0\n',
    })),
    holes: waits('holes', true, async () => ({ result: 'failed', code: 'TILING_HOLE', details: {}, text: 'a hole\n' })),
    bug: waits('bug', true, async () => {
      throw new TypeError('x is not a function')
    }),
    crash: waits('crash', true, async () => {
      setImmediate(() => {
        throw new TypeError('nobody catches this')
      })
      return new Promise<never>(() => undefined)
    }),
    leak: waits('leak', true, async () => {
      setInterval(() => undefined, 1_000)
      return { result: 'ok', details: {}, text: '' }
    }),
  },
})
