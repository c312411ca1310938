import { readFileSync, statSync } from 'node:fs'
import { Kafka } from '../helpers/kafka-broker.ts'
import type { TestFile } from './files.ts'

const logLinesShown = 40

/** The servers that ordinary tests share: one broker, one S3 server. Their addresses go to the tests by environment. */
export interface SharedServers extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
  /** Begins to listen; the function that comes back says what the servers have logged since, the end of it. */
  recordLogs(): () => string
}

/** Starts what the files need, unless the user named a server that runs already. */
export async function startSharedServers(files: readonly TestFile[]): Promise<SharedServers> {
  await using stack = new AsyncDisposableStack()
  const env: Record<string, string> = {}
  const logs: string[] = []
  if (files.some(file => file.needsKafka) && (process.env['KAFKA_TEST_BROKERS'] ?? '') === '') {
    const kafka = stack.use(await Kafka.start())
    env['MAXBROD_TEST_KAFKA'] = kafka.bootstrap
    logs.push(...kafka.brokers.map(broker => broker.logFile))
  }
  const owned = stack.move()
  return {
    env,
    recordLogs() {
      const starts = logs.map(log => statSync(log).size)
      return () => logs.map((log, index) => logSince(log, starts[index]!)).join('')
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function logSince(log: string, start: number): string {
  const text = readFileSync(log).subarray(start).toString('utf8').trimEnd()
  return text === ''
    ? ''
    : `\nlog of the shared server meanwhile:\n${text.split('\n').slice(-logLinesShown).join('\n')}\n`
}
