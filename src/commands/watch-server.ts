import type { Health } from '../observe/endpoints.ts'
import { watchRoutes } from '../observe/endpoints.ts'
import type { Routes } from '../observe/http.ts'
import { startHttp } from '../observe/http.ts'
import type { MetricsOptions, metricsOptions } from '../observe/options.ts'
import type { Context } from './command.ts'

type WatchedContext = Pick<
  Context<readonly [typeof metricsOptions]>,
  'clock' | 'logger' | 'metrics' | 'version' | 'origins'
>

/** Serves metrics, health and what else a command shows, on --metrics-port, and profiles of it if they are asked for. */
export async function startWatchServer(
  { clock, logger, metrics, version, origins }: WatchedContext,
  { metricsPort, enablePprof, pprofPort }: MetricsOptions,
  health: () => Health,
  routes: Routes = {},
): Promise<AsyncDisposable> {
  metrics.watchProcess(version)
  await using servers = new AsyncDisposableStack()
  servers.use(
    await startHttp({
      routes: { ...watchRoutes(metrics, health), ...routes },
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
