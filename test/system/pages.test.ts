import { after, before, suite, test } from 'node:test'
import { runElsewhere } from '../docs/walked-pages.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { openDesk } from '../helpers/page-scene.ts'
import { walkPage } from '../helpers/page-walk.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'

suite('what pages tell their readers to do', { skip: skipWithForeignKafka }, () => {
  let kafka: Kafka
  let referee: Referee

  before(async () => {
    kafka = await Kafka.start()
    referee = Referee.start(kafka.bootstrap)
    await referee.createTopic('orders', { partitions: 4 })
    await referee.generate('orders', { partitions: 4, records: 5_000 })
  })

  after(async () => {
    await referee?.[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
  })

  test('the README is done word for word, and prints what it says', async () => {
    await using desk = await openDesk()
    await walkPage('README.md', {
      folder: desk.folder,
      env: desk.env,
      elsewhere: Object.keys(runElsewhere),
      instead: {
        'localhost:9092': kafka.bootstrap,
        '/tmp/maxbrod-first-try': `${desk.folder}/first-try`,
        '/tmp/maxbrod-work': `${desk.folder}/work`,
      },
    })
  })
})
