import { call } from './call.ts'
import type { Call } from './call.ts'
import { operationsOf } from './metadata.ts'
import type { WireReader } from './wire.ts'

/** Versions that tell rights (KIP-430) and know a group that does not exist yet, which newer ones call an error (KIP-1043). */
export const DESCRIBE_GROUPS = { apiKey: 15, newest: 4, oldest: 3 } as const
/** Groups whose members speak the protocol of KIP-848; the other call says that these have none. */
export const DESCRIBE_CONSUMER_GROUPS = { apiKey: 69, newest: 0, oldest: 0 } as const

export interface DescribedGroup {
  readonly errorCode: number
  readonly members: readonly DescribedMember[]
  /** A bit field of AclOperation codes: what this user may do to the group, which need not exist. */
  readonly operations: number | undefined
}

export interface DescribedMember {
  readonly memberId: string
  /** Null for a dynamic member. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly host: string
}

export function describeGroupCall(version: number, group: string): Call<DescribedGroup> {
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
      const [answer] = reader.array((): DescribedGroup => {
        const errorCode = reader.int16()
        reader.string() // group id
        reader.string() // state
        reader.string() // protocol type
        reader.string() // protocol
        const members = reader.array(() => {
          const memberId = reader.string()
          const instanceId = version >= 4 ? reader.nullableString() : null
          const clientId = reader.string()
          const host = reader.string()
          reader.bytes() // metadata
          reader.bytes() // assignment
          return { memberId, instanceId, clientId, host }
        })
        return { errorCode, members, operations: operationsOf(reader.int32()) }
      })
      return answer ?? { errorCode: 0, members: [], operations: undefined }
    },
  })
}

export function describeConsumerGroupCall(group: string): Call<DescribedGroup> {
  return call({
    apiKey: DESCRIBE_CONSUMER_GROUPS.apiKey,
    apiName: 'ConsumerGroupDescribe',
    version: DESCRIBE_CONSUMER_GROUPS.newest,
    flexibleFrom: 0,
    write(writer) {
      writer.compactArray([group], name => writer.compactString(name))
      writer.int8(0).noTags()
    },
    read(reader) {
      reader.int32() // throttle time
      const [answer] = reader.compactArray((): DescribedGroup => {
        const errorCode = reader.int16()
        reader.nullableCompactString() // error message
        reader.compactString() // group id
        reader.compactString() // state
        reader.int32() // epoch
        reader.int32() // epoch of the assignment
        reader.compactString() // assignor
        const members = reader.compactArray(() => {
          const memberId = reader.compactString()
          const instanceId = reader.nullableCompactString()
          reader.nullableCompactString() // rack
          reader.int32() // epoch
          const clientId = reader.compactString()
          const host = reader.compactString()
          reader.compactArray(() => reader.compactString()) // topics
          reader.nullableCompactString() // regex
          passAssignment(reader)
          passAssignment(reader) // the one it is to have
          reader.skipTags()
          return { memberId, instanceId, clientId, host }
        })
        const operations = operationsOf(reader.int32())
        reader.skipTags()
        return { errorCode, members, operations }
      })
      return answer ?? { errorCode: 0, members: [], operations: undefined }
    },
  })
}

function passAssignment(reader: WireReader): void {
  reader.compactArray(() => {
    reader.uuid()
    reader.compactString()
    reader.compactArray(() => reader.int32())
    reader.skipTags()
  })
  reader.skipTags()
}
