import { list } from '../config/kinds-of-list.ts'
import { duration } from '../config/kinds-of-number.ts'
import { franzLevels } from '../config/kinds-of-others.ts'
import { choice, flag, path, text } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { Unreadable } from '../config/unreadable.ts'

export const kafkaOptions = section('kafka', {
  bootstrapServer: list({
    placeholder: 'HOST:PORT',
    aliases: ['brokers'],
    env: ['KAFKA_BROKERS'],
    foreign: [{ flag: 'bootstrap-servers', env: 'KAFKA_BOOTSTRAP_SERVERS' }],
    check: refuseUser,
    doc: 'Brokers to begin with; one that answers is enough. Without it bootstrap.servers of --command-config, or localhost:9092.',
  }),
  brokersDnsSrv: text({
    placeholder: 'NAME',
    isAdvanced: true,
    env: ['KAFKA_BROKERS_DNS_SRV'],
    foreign: [{ flag: 'brokersDNSSrv' }],
    doc: 'Name of a DNS SRV record that lists the brokers to begin with, in place of --bootstrap-server. Asked again when none of them answers any more.',
  }),
  commandConfig: path({
    doc: "A client.properties file, as Kafka's own tools take it: security.protocol, sasl.*, ssl.* with PEM stores.",
  }),
  serviceBinding: path({
    isAdvanced: true,
    env: ['SERVICE_BINDING_ROOT'],
    doc: 'Folder with a Service Binding of type kafka, such as the Kafka Access Operator of Strimzi makes. Used when neither brokers nor --command-config are given.',
  }),
  kafkaMtlsAuth: flag({
    isAdvanced: true,
    doc: 'Use TLS, and identify with the certificate of the three files that follow. In place of what --command-config says about TLS.',
  }),
  kafkaMtlsCaCertPath: path({
    default: '/certs/ca.crt',
    isAdvanced: true,
    doc: 'Certificates of the authorities that sign for brokers, with --kafka-mtls-auth.',
  }),
  kafkaMtlsClientCertPath: path({
    default: '/certs/tls.crt',
    isAdvanced: true,
    doc: 'Own certificate, with --kafka-mtls-auth. Files that are replaced are read again for each new connection.',
  }),
  kafkaMtlsClientKeyPath: path({
    default: '/certs/tls.key',
    isAdvanced: true,
    doc: 'Key of the own certificate, with --kafka-mtls-auth.',
  }),
  kafkaLogLevel: choice(['debug', 'info', 'warn', 'error'], {
    placeholder: 'LEVEL',
    isAdvanced: true,
    foreign: [{ flag: 'kgo-log-level', env: 'KGO_LOG_LEVEL', kind: franzLevels }],
    doc: 'Log of the connection to Kafka from this on. Without it as --log-level says.',
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

/** Addresses are printed; a password in one of them would be, too. */
function refuseUser(address: string): void {
  if (address.includes('@'))
    throw new Unreadable("a broker's address holds no user", 'set sasl.jaas.config in the file of --command-config')
}

export type KafkaOptions = Values<typeof kafkaOptions>
