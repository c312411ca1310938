import { call } from './call.ts'
import type { Call } from './call.ts'

/** KIP-339; version 0 is not flexible and is served by every broker since Kafka 2.3. */
const INCREMENTAL_ALTER_CONFIGS = { apiKey: 44, newest: 0, oldest: 0 } as const

export const TOPIC_RESOURCE = 2
export const BROKER_RESOURCE = 4

export interface ConfigResource {
  readonly type: typeof TOPIC_RESOURCE | typeof BROKER_RESOURCE
  /** Topic name, or '' for the default of all brokers. */
  readonly name: string
}

export interface AlterConfigs extends ConfigResource {
  /** New values; null removes the entry, so that the default holds again. */
  readonly configs: readonly (readonly [name: string, value: string | null])[]
}

export interface AlteredResource extends ConfigResource {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const SET = 0
const DELETE = 1

export function incrementalAlterConfigsCall(resources: readonly AlterConfigs[]): Call<AlteredResource[]> {
  return call({
    apiKey: INCREMENTAL_ALTER_CONFIGS.apiKey,
    apiName: 'IncrementalAlterConfigs',
    version: 0,
    flexibleFrom: 1,
    write(writer) {
      writer.array(resources, ({ type, name, configs }) => {
        writer.int8(type).string(name)
        writer.array(configs, ([config, value]) =>
          writer
            .string(config)
            .int8(value === null ? DELETE : SET)
            .string(value),
        )
      })
      writer.int8(0) // validate only
    },
    read(reader) {
      reader.int32() // throttle time
      return reader.array((): AlteredResource => {
        const errorCode = reader.int16()
        const errorMessage = reader.nullableString()
        const type = reader.int8() === BROKER_RESOURCE ? BROKER_RESOURCE : TOPIC_RESOURCE
        return { type, name: reader.string(), errorCode, errorMessage }
      })
    },
  })
}
