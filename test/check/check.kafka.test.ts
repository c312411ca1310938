import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Finding } from '../../src/check/finding.ts'
import { PURPOSES } from '../../src/check/purpose.ts'
import { runCli } from '../helpers/cli.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { RoundTrip } from '../helpers/round-trip.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openWorld } from '../helpers/world.ts'

// However slow the machine is.
const patient = '--timeout=120s'
const found = ({ json }: CommandResult) =>
  (json['checks'] as Finding[]).map(({ verdict, check }) => `${verdict} ${check}`)

test('a plain cluster and a folder: every command can run, one after the other, and nothing is left but one small object', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  await world.referee.createTopic(topic, { partitions: 2 })
  await world.referee.produce(topic, [{ value: 'a', timestamp: 1 }])
  const roundTrip = new RoundTrip(world)
  const check = (...flags: string[]) =>
    runCommand([
      'check',
      `--bootstrap-server=${world.bootstrap}`,
      `--storage=${roundTrip.storage}`,
      `--topics=${topic}`,
      `--plan-topic=${roundTrip.planTopic}`,
      `--working-dir=${world.folder}/work`,
      patient,
      ...flags,
    ])

  const before = await check()
  assert.equal(before.exit, 0, before.stdout)
  assert.deepEqual(found(before), [
    'OK brokers',
    'OK listeners',
    'OK topics',
    'OK rights on the cluster',
    'OK rights on topics',
    'OK rights on the group',
    'OK disk',
    'OK storage',
    'OK create-only',
    'OK archive',
  ])
  assert.deepEqual(readdirSync(`${world.folder}/work`), [])
  const tooEarly = await check('--for=restore')
  assert.equal(tooEarly.exit, 4)
  assert.deepEqual(
    found(tooEarly).filter(line => !line.startsWith('OK')),
    ['FAIL plan topic', 'FAIL archive'],
  )

  await roundTrip.backUp([topic])
  await roundTrip.plan()
  for (const purpose of PURPOSES) {
    const { exit, stdout } = await check(`--for=${purpose}`)
    assert.equal(exit, 0, stdout)
  }
  const verified = await runCommand(['verify', `--storage=${roundTrip.storage}`])
  assert.equal(verified.exit, 0, verified.stdout)
})

test('brokers that do not answer, a bucket that is not there and a topic that nobody has are told together', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const common = [`--s3-endpoint=${bucket.endpoint}`, `--working-dir=${world.folder}/work`, patient]
  const nowhere = await runCommand([
    'check',
    '--bootstrap-server=127.0.0.1:1',
    `--storage=${bucket.url('shop')}`,
    '--kafka-deadline=3s',
    ...common,
  ])
  assert.equal(nowhere.exit, 4, nowhere.stdout)
  assert.deepEqual(found(nowhere), [
    'FAIL brokers',
    'OK disk',
    'OK storage',
    'OK identity',
    'OK clock',
    'OK create-only',
    'OK archive',
  ])
  const missing = await runCommand([
    'check',
    `--bootstrap-server=${world.bootstrap}`,
    `--storage=s3://${bucket.bucket}-not`,
    `--topics=${world.name('nobody-has-this')}`,
    ...common,
  ])
  assert.equal(missing.exit, 4, missing.stdout)
  assert.deepEqual(
    found(missing).filter(line => !line.startsWith('OK')),
    ['FAIL topics', 'FAIL storage'],
  )
  for (const { verdict, fix } of missing.json['checks'] as Finding[])
    if (verdict !== 'OK') assert.notEqual(fix ?? '', '')
})

test('a store that refuses one request and leaves others open keeps check no longer than it needs to say so', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  await using faults = await S3Faults.start(bucket.endpoint)
  // Of the eight writers that race.
  faults.order(/^PUT /, { kind: 'stalled request' }, 7)
  faults.order(/^PUT /, s3ErrorAnswer(403, 'AccessDenied'))
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env
  const { exit, stdout, stderr } = await runCli(
    [
      'check',
      `--bootstrap-server=${world.bootstrap}`,
      `--storage=${bucket.url('shop')}`,
      `--s3-endpoint=${faults.endpoint}`,
      '--s3-region=us-east-1',
      `--working-dir=${world.folder}/work`,
      patient,
    ],
    { env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } },
  )
  assert.equal(exit, 4, stdout)
  assert.match(stdout, /^FAIL +storage +cannot put .*s3:PutObject/m)
  assert.doesNotMatch(stderr, /left open/)
  assert.equal(faults.unused, 0)
})
