import { after } from 'node:test'
import type { TestContext } from 'node:test'
import { Kafka } from './kafka-broker.ts'
import { Referee } from './referee.ts'
import { RestoreScene } from './restore-scene.ts'
import { skipWithForeignKafka } from './shared-kafka.ts'
import { openWorld } from './world.ts'

/** Every second a broker looks which producers it may forget; those of old records are forgotten then. */
export const forgetful = { 'producer.id.expiration.check.interval.ms': 1_000 } as const

/** For the option `skip` of tests with a forgetful broker. */
export const skipWithoutForgetful = skipWithForeignKafka

let kafka: Promise<Kafka> | undefined
let referee: Promise<Referee> | undefined

/** As `openRestoreScene`, at a forgetful broker, one for all tests of a file. */
export async function openForgetfulScene(t: TestContext): Promise<RestoreScene> {
  kafka ??= Kafka.start({ properties: forgetful })
  const { bootstrap } = await kafka
  referee ??= Promise.resolve(Referee.start(bootstrap))
  return new RestoreScene(await openWorld(t, { bootstrap, referee: await referee }))
}

after(async () => {
  await (await referee)?.[Symbol.asyncDispose]()
  await (await kafka)?.[Symbol.asyncDispose]()
})
