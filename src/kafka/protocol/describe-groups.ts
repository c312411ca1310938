import { call } from './call.ts'
import type { Call } from './call.ts'
import { operationsOf } from './metadata.ts'

/** Versions that tell rights (KIP-430) and know a group that does not exist yet, which newer ones call an error (KIP-1043). */
export const DESCRIBE_GROUPS = { apiKey: 15, newest: 4, oldest: 3 } as const

export interface GroupRights {
  readonly errorCode: number
  /** A bit field of AclOperation codes. */
  readonly operations: number | undefined
}

/** What the user may do to a group, which need not exist. */
export function groupRightsCall(version: number, group: string): Call<GroupRights> {
  return call({
    apiKey: DESCRIBE_GROUPS.apiKey,
    apiName: 'DescribeGroups',
    version,
    flexibleFrom: 5,
    write(writer) {
      writer.array([group], name => writer.string(name)).int8(1)
    },
    read(reader) {
      reader.int32() // throttle time
      const [answer] = reader.array(() => {
        const errorCode = reader.int16()
        reader.string() // group id
        reader.string() // state
        reader.string() // protocol type
        reader.string() // protocol
        reader.array(() => {
          reader.string() // member id
          if (version >= 4) reader.nullableString() // instance id
          reader.string() // client id
          reader.string() // host
          reader.bytes() // metadata
          reader.bytes() // assignment
        })
        return { errorCode, operations: operationsOf(reader.int32()) }
      })
      return answer ?? { errorCode: 0, operations: undefined }
    },
  })
}
