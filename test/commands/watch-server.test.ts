import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWatchServer } from '../../src/commands/watch-server.ts'
import { parse } from '../../src/config/parse.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { metricsOptions } from '../../src/observe/options.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { freePorts } from '../helpers/ports.ts'

test('metrics are served for everybody, profiles only if asked for, and nothing once the command is over', async () => {
  const [port = 0, pprof = 0] = await freePorts(2)
  const statusOf = (path: string) => fetch(`http://127.0.0.1:${path}`).then(({ status }) => status)
  for (const flags of [[], ['-enable-pprof', '-pprof-port', `${pprof}`]]) {
    const argv = [`--metrics-port=${port}`, ...flags]
    const { values, origins } = parse([metricsOptions], { argv, env: {}, readFile: () => '' })
    using vitals = new Vitals(systemClock)
    vitals.readyUnless(() => undefined)
    const own = { clock: systemClock, logger: silentLogger, metrics: new Metrics(), vitals }
    const watched = { ...values, kafka: { kafkaDeadline: 1 }, storage: { storageDeadline: 1 } }
    {
      await using _ = await startWatchServer({ ...own, version: '1.2.3', origins }, watched)
      for (const path of ['metrics', '__/metrics', 'healthz', 'livez', 'readyz'])
        assert.equal(await statusOf(`${port}/${path}`), 200)
      if (flags.length > 0) {
        assert.equal(await statusOf(`${pprof}/debug/pprof/`), 200)
        // A heap has every secret in it: it is for this host alone, which every other address stands for here.
        assert.equal((await fetch(`http://127.0.0.2:${port}/metrics`)).status, 200)
        await assert.rejects(fetch(`http://127.0.0.2:${pprof}/debug/pprof/`))
      } else await assert.rejects(statusOf(`${pprof}/debug/pprof/`))
    }
    await assert.rejects(statusOf(`${port}/metrics`))
    await assert.rejects(statusOf(`${pprof}/debug/pprof/`))
  }
})
