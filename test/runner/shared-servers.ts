import { readFileSync, statSync } from 'node:fs'
import { Kafka } from '../helpers/kafka-broker.ts'
import { RefereeHost, refereePortVariable } from '../helpers/referee-host.ts'
import { S3Proxy } from '../helpers/s3proxy.ts'
import type { TestFile } from './files.ts'

const logLinesShown = 40

/** The servers that ordinary tests share: one broker, one S3 server, one process with all referees. Their addresses go to the tests by environment. */
export interface SharedServers extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
  /** Begins to listen; the function that comes back says what the servers of the file have logged since, the end of it. */
  recordLogs(file: TestFile): () => string
}

/** Starts what the files need, unless the user named a server that runs already. */
export async function startSharedServers(files: readonly TestFile[]): Promise<SharedServers> {
  await using stack = new AsyncDisposableStack()
  const env: Record<string, string> = {}
  const logs: { path: string; isOf: (file: TestFile) => boolean }[] = []
  if (files.some(file => file.needsKafka) && (process.env['KAFKA_TEST_BROKERS'] ?? '') === '') {
    const kafka = stack.use(await Kafka.start())
    env['MAXBROD_TEST_KAFKA'] = kafka.bootstrap
    for (const { logFile } of kafka.brokers) logs.push({ path: logFile, isOf: file => file.needsKafka })
  }
  if (files.some(file => file.needsKafka)) {
    const referees = stack.use(await RefereeHost.start())
    env[refereePortVariable] = `${referees.port}`
    logs.push({ path: referees.logFile, isOf: file => file.needsKafka })
  }
  if (files.some(file => file.needsS3) && (process.env['S3_TEST_ENDPOINT'] ?? '') === '') {
    const s3 = stack.use(await S3Proxy.start())
    env['MAXBROD_TEST_S3'] = s3.endpoint
    env['AWS_ACCESS_KEY_ID'] = s3.credentials.accessKeyId
    env['AWS_SECRET_ACCESS_KEY'] = s3.credentials.secretAccessKey
    env['AWS_REGION'] = 'us-east-1'
    logs.push({ path: s3.logFile, isOf: file => file.needsS3 })
  }
  const owned = stack.move()
  return {
    env,
    recordLogs(file) {
      const since = logs.filter(({ isOf }) => isOf(file)).map(({ path }) => ({ path, start: statSync(path).size }))
      return () => since.map(({ path, start }) => logSince(path, start)).join('')
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
