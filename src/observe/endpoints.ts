import type { Route, Routes } from './http.ts'
import type { Metrics } from './metrics.ts'
import type { Vital, Vitals } from './vitals.ts'

/** The routes of every process that is watched. `/__/metrics` is where kafka-data-keep has its metrics. */
export function watchRoutes(metrics: Metrics, vitals: Pick<Vitals, 'alive' | 'ready'>): Routes {
  const scrape = async () => ({ type: metrics.contentType, body: await metrics.text() })
  return {
    'GET /metrics': scrape,
    'GET /__/metrics': scrape,
    'GET /livez': answer(() => vitals.alive),
    'GET /healthz': answer(() => vitals.alive),
    'GET /readyz': answer(() => vitals.ready),
  }
}

function answer(vital: () => Vital): Route {
  return () => {
    const { isGood, says } = vital()
    return { status: isGood ? 200 : 503, body: `${says}\n` }
  }
}
