import { after } from 'node:test'
import { Kafka } from './kafka-broker.ts'
import { Referee } from './referee.ts'

// A running cluster that the user named. It is not ours to kill or to reconfigure.
const foreign = process.env['KAFKA_TEST_BROKERS'] ?? ''
// The broker that test/run.ts started for all files.
const ours = process.env['MAXBROD_TEST_KAFKA'] ?? ''

/** For the option `skip` of tests that start brokers of their own, to kill them or to configure them. */
export const skipWithForeignKafka =
  foreign === '' ? false : 'needs brokers of its own, and KAFKA_TEST_BROKERS names a running cluster'

let kafka: Promise<Kafka> | undefined
let referee: Promise<Referee> | undefined

/** The broker that tests share: do not stop it, and use topic names of your own. A file that is run alone starts one. */
export async function sharedKafka(): Promise<string> {
  if (foreign !== '') return foreign
  if (ours !== '') return ours
  kafka ??= Kafka.start()
  return (await kafka).bootstrap
}

/** A referee at the shared broker, one for all tests of a file. */
export function sharedReferee(): Promise<Referee> {
  referee ??= sharedKafka().then(bootstrap => Referee.start(bootstrap))
  return referee
}

after(async () => {
  await (await referee)?.[Symbol.asyncDispose]()
  await (await kafka)?.[Symbol.asyncDispose]()
})
