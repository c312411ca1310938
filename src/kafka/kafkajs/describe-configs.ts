import { KafkaError, kafkaErrorName } from '../kafka-errors.ts'
import type { ConfigEntry } from '../port/admin.ts'
import type { ConfigResource } from '../protocol/alter-configs.ts'
import type { BrokerConnection } from './broker-connection.ts'
import { kafkajsRequest } from './internals.ts'

interface Answer {
  readonly resources: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly resourceName: string
    readonly configEntries: readonly {
      configName: string
      configValue: string | null
      readOnly: boolean
      configSource: number
    }[]
  }[]
}

/** Config sources of DescribeConfigs (KIP-226): set for this topic, for this broker, or for all brokers. */
const TOPIC_CONFIG = 1
const DYNAMIC_BROKER_CONFIG = 2
const DYNAMIC_DEFAULT_BROKER_CONFIG = 3

/** All configs of the named topics or brokers. Throws KafkaError for the first resource that cannot be described. */
export async function describeConfigs(
  connection: BrokerConnection,
  type: ConfigResource['type'],
  names: readonly string[],
): Promise<Map<string, ConfigEntry[]>> {
  // A null list of names asks for all of them; kafkajs' encoder writes null for an empty list.
  const resources = names.map(name => ({ type, name, configNames: [] }))
  const answer = await connection.request(
    kafkajsRequest<Answer>('DescribeConfigs', { resources, includeSynonyms: false }),
  )
  const configs = new Map<string, ConfigEntry[]>()
  for (const { errorCode, errorMessage, resourceName, configEntries } of answer.resources) {
    const error = kafkaErrorName(errorCode)
    if (error !== undefined) throw new KafkaError(error, 'DescribeConfigs', errorMessage ?? resourceName)
    const entries = configEntries.map(({ configName, configValue, readOnly, configSource }) => ({
      name: configName,
      value: configValue,
      isOwn: [TOPIC_CONFIG, DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG].includes(configSource),
      isReadOnly: readOnly,
    }))
    configs.set(resourceName, entries)
  }
  return configs
}
