import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counter, gauge, histogram, metricName, metricSet } from '../../src/observe/metric-set.ts'
import { Metrics, processMetrics } from '../../src/observe/metrics.ts'

const backup = metricSet('backup', {
  filesTotal: counter('Files uploaded.', { reason: ['size', 'age'] }),
  bytesTotal: counter('Bytes uploaded.'),
  bufferedBytes: gauge('Bytes not uploaded.', { topic: 'any', partition: 'any' }),
  members: gauge('Members.'),
  putSeconds: histogram('Time of a put.', [0.1, 1], { outcome: ['ok', 'failed'] }),
})

test('what is declared is there from the beginning, at 0 for all known labels', async () => {
  const metrics = new Metrics()
  metrics.of(backup)
  assert.equal(
    await metrics.text(),
    `# HELP maxbrod_backup_files_total Files uploaded.
# TYPE maxbrod_backup_files_total counter
maxbrod_backup_files_total{reason="size"} 0
maxbrod_backup_files_total{reason="age"} 0

# HELP maxbrod_backup_bytes_total Bytes uploaded.
# TYPE maxbrod_backup_bytes_total counter
maxbrod_backup_bytes_total 0

# HELP maxbrod_backup_buffered_bytes Bytes not uploaded.
# TYPE maxbrod_backup_buffered_bytes gauge

# HELP maxbrod_backup_members Members.
# TYPE maxbrod_backup_members gauge
maxbrod_backup_members 0

# HELP maxbrod_backup_put_seconds Time of a put.
# TYPE maxbrod_backup_put_seconds histogram
maxbrod_backup_put_seconds_bucket{le="0.1",outcome="ok"} 0
maxbrod_backup_put_seconds_bucket{le="1",outcome="ok"} 0
maxbrod_backup_put_seconds_bucket{le="+Inf",outcome="ok"} 0
maxbrod_backup_put_seconds_sum{outcome="ok"} 0
maxbrod_backup_put_seconds_count{outcome="ok"} 0
maxbrod_backup_put_seconds_bucket{le="0.1",outcome="failed"} 0
maxbrod_backup_put_seconds_bucket{le="1",outcome="failed"} 0
maxbrod_backup_put_seconds_bucket{le="+Inf",outcome="failed"} 0
maxbrod_backup_put_seconds_sum{outcome="failed"} 0
maxbrod_backup_put_seconds_count{outcome="failed"} 0
`,
  )
})

test('every kind counts, and its value can be read back', async () => {
  const { filesTotal, bytesTotal, bufferedBytes, members, putSeconds } = new Metrics().of(backup)
  filesTotal.add(2, { reason: 'age' })
  bytesTotal.add(10)
  bytesTotal.add(5)
  bufferedBytes.set(7, { topic: 'orders', partition: 0 })
  bufferedBytes.add(-2, { topic: 'orders', partition: 0 })
  members.set(3)
  putSeconds.observe(0.5, { outcome: 'ok' })
  putSeconds.observe(5, { outcome: 'ok' })
  assert.equal(await filesTotal.value({ reason: 'age' }), 2)
  assert.equal(await filesTotal.value({ reason: 'size' }), 0)
  assert.equal(await bytesTotal.value(), 15)
  assert.equal(await bufferedBytes.value({ topic: 'orders', partition: 0 }), 5)
  assert.equal(await members.value(), 3)
  assert.equal(await putSeconds.value({ outcome: 'ok' }), 2)
})

test('a set has the same instruments each time, and other ones in another process', async () => {
  const metrics = new Metrics()
  metrics.of(backup).bytesTotal.add(1)
  metrics.of(backup).bytesTotal.add(1)
  assert.equal(await metrics.of(backup).bytesTotal.value(), 2)
  assert.equal(await new Metrics().of(backup).bytesTotal.value(), 0)
})

test('the series of a partition that others own now can be forgotten', async () => {
  const metrics = new Metrics()
  const { bufferedBytes } = metrics.of(backup)
  bufferedBytes.set(7, { topic: 'orders', partition: 0 })
  bufferedBytes.remove({ topic: 'orders', partition: 0 })
  assert.doesNotMatch(await metrics.text(), /orders/)
})

test('beyond the limit, counters are added up under "other", gauges are left out, and both are counted', async () => {
  const metrics = new Metrics({ seriesMax: 2 })
  const set = metricSet('x', {
    readTotal: counter('Read.', { topic: 'any', kind: ['a', 'b'] }),
    ageSeconds: gauge('Age.', { topic: 'any' }),
  })
  const { readTotal, ageSeconds } = metrics.of(set)
  for (const topic of ['t1', 't2', 't3', 't4', 't1']) {
    readTotal.add(1, { topic, kind: 'a' })
    ageSeconds.set(1, { topic })
  }
  assert.equal(await readTotal.value({ topic: 't1', kind: 'a' }), 2)
  assert.equal(await readTotal.value({ topic: 'other', kind: 'a' }), 2)
  assert.equal(await metrics.of(processMetrics).seriesFoldedTotal.value(), 4)
  assert.doesNotMatch(await metrics.text(), /t3|t4/)
  // Who makes room lets another one in.
  ageSeconds.remove({ topic: 't1' })
  ageSeconds.set(9, { topic: 't5' })
  assert.equal(await ageSeconds.value({ topic: 't5' }), 9)
})

test('gauges that follow from the time are set before each scrape', async () => {
  const metrics = new Metrics()
  const { members } = metrics.of(backup)
  let age = 0
  const refreshing = metrics.beforeScrape(() => members.set(++age))
  await metrics.text()
  assert.match(await metrics.text(), /maxbrod_backup_members 2\n/)
  refreshing[Symbol.dispose]()
  assert.match(await metrics.text(), /maxbrod_backup_members 2\n/)
})

test('the process is watched under the names that Prometheus users know', async () => {
  const metrics = new Metrics()
  metrics.watchProcess('1.2.3')
  const text = await metrics.text()
  assert.match(text, /^process_cpu_seconds_total /m)
  assert.match(text, /^nodejs_eventloop_lag_seconds /m)
  assert.match(text, /^maxbrod_process_build_info\{version="1\.2\.3"\} 1$/m)
})

test('a key becomes a name', () => {
  assert.equal(metricName('storage', 'putSecondsMax'), 'maxbrod_storage_put_seconds_max')
})
