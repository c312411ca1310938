import type { Health } from '../observe/endpoints.ts'
import { watchRoutes } from '../observe/endpoints.ts'
import type { HttpServer, Routes } from '../observe/http.ts'
import { startHttp } from '../observe/http.ts'
import type { MetricsOptions, metricsOptions } from '../observe/options.ts'
import type { Context } from './command.ts'

/** Serves metrics, health and what else a command shows, on --metrics-port; undefined when there is no server. */
export function startWatchServer(
  { logger, metrics, version, origins }: Context<readonly [typeof metricsOptions]>,
  { metricsPort }: MetricsOptions,
  health: () => Health,
  routes: Routes = {},
): Promise<HttpServer | undefined> {
  metrics.watchProcess(version)
  return startHttp({
    routes: { ...watchRoutes(metrics, health), ...routes },
    port: metricsPort,
    flag: '--metrics-port',
    isNamed: origins.metrics.metricsPort.from !== 'default',
    bind: 'everywhere',
    logger,
  })
}
