import { call } from './call.ts'
import type { Call } from './call.ts'

/** Many groups in one request: version 4 (Kafka 3.0, KIP-699). */
export const FIND_COORDINATORS = { apiKey: 10, newest: 4, oldest: 4 } as const

export interface FoundCoordinator {
  readonly group: string
  readonly host: string
  readonly port: number
  readonly errorCode: number
}

const GROUP_KEY = 0

/** Who coordinates each of the groups. */
export function findCoordinatorsCall(groups: readonly string[]): Call<FoundCoordinator[]> {
  return call({
    apiKey: FIND_COORDINATORS.apiKey,
    apiName: 'FindCoordinator',
    version: FIND_COORDINATORS.newest,
    flexibleFrom: 3,
    write(writer) {
      writer.int8(GROUP_KEY)
      writer.compactArray(groups, group => writer.compactString(group)).noTags()
    },
    read(reader) {
      reader.int32() // throttle time
      return reader.compactArray((): FoundCoordinator => {
        const group = reader.compactString()
        reader.int32() // node id
        const host = reader.compactString()
        const port = reader.int32()
        const errorCode = reader.int16()
        reader.nullableCompactString() // error message
        reader.skipTags()
        return { group, host, port, errorCode }
      })
    },
  })
}
