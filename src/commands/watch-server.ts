import { watchRoutes } from '../observe/endpoints.ts'
import type { Routes } from '../observe/http.ts'
import { startHttp } from '../observe/http.ts'
import type { MetricsOptions, metricsOptions } from '../observe/options.ts'
import type { KafkaOptions } from '../kafka/options.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { Context } from './command.ts'

type WatchedContext = Pick<
  Context<readonly [typeof metricsOptions]>,
  'clock' | 'logger' | 'metrics' | 'vitals' | 'version' | 'origins'
>

/** What the longest steps take beside the deadlines: a rebalance waits a minute for every member, a slow disk for itself. */
const STEP_MS = 15 * 60_000

export interface Watched {
  readonly metrics: MetricsOptions
  /** What a step may take that tries these again. */
  readonly kafka: Pick<KafkaOptions, 'kafkaDeadline'>
  readonly storage: Pick<StorageOptions, 'storageDeadline'>
}

/** Serves metrics, health and what else a command shows, on --metrics-port, and profiles of it if they are asked for. */
export async function startWatchServer(
  { clock, logger, metrics, vitals, version, origins }: WatchedContext,
  { metrics: { metricsPort, enablePprof, pprofPort, stuckAfter }, kafka, storage }: Watched,
  routes: Routes = {},
): Promise<AsyncDisposable> {
  metrics.watchProcess(version)
  vitals.allow(stuckAfter ?? STEP_MS + kafka.kafkaDeadline + storage.storageDeadline)
  await using servers = new AsyncDisposableStack()
  servers.use(
    await startHttp({
      routes: { ...watchRoutes(metrics, vitals), ...routes },
      port: metricsPort,
      flag: '--metrics-port',
      isNamed: origins.metrics.metricsPort.from !== 'default',
      bind: 'everywhere',
      logger,
    }),
  )
  if (enablePprof) {
    const { profileRoutes } = await import('../observe/profiler.ts')
    const port = { port: pprofPort, flag: '--pprof-port', isNamed: true }
    servers.use(await startHttp({ routes: profileRoutes(clock), ...port, bind: 'loopback', logger }))
  }
  return servers.move()
}
