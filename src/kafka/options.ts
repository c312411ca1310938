import { list } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import { path } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

export const kafkaOptions = section('kafka', {
  bootstrapServer: list({
    placeholder: 'HOST:PORT',
    aliases: ['brokers'],
    env: ['KAFKA_BROKERS'],
    doc: 'Brokers to begin with; one that answers is enough. Without it bootstrap.servers of --command-config, or localhost:9092.',
  }),
  commandConfig: path({
    doc: "A client.properties file, as Kafka's own tools take it: security.protocol, sasl.*, ssl.* with PEM stores.",
  }),
  metadataMaxAge: duration({
    default: '30s',
    min: '100ms',
    isAdvanced: true,
    doc: 'Look for new topics and partitions this often.',
  }),
  kafkaDeadline: duration({
    default: '60s',
    min: '1s',
    isAdvanced: true,
    doc: 'Try again this long when brokers answer with temporary errors, or not at all.',
  }),
})

export type KafkaOptions = Values<typeof kafkaOptions>
