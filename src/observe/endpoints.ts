import type { Routes } from './http.ts'
import type { Metrics } from './metrics.ts'

/** What a liveness probe sees. Never the broker or the store: to restart all workers does not heal these. */
export interface Health {
  readonly isAlive: boolean
  /** A sentence about the state, good or bad. */
  readonly says: string
}

/** The routes of every process that is watched. `/__/metrics` is where kafka-data-keep has its metrics. */
export function watchRoutes(metrics: Metrics, health: () => Health): Routes {
  const scrape = async () => ({ type: metrics.contentType, body: await metrics.text() })
  return {
    'GET /metrics': scrape,
    'GET /__/metrics': scrape,
    'GET /healthz'() {
      const { isAlive, says } = health()
      return { status: isAlive ? 200 : 503, body: `${says}\n` }
    },
  }
}
