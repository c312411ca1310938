import { call } from './call.ts'
import type { Call } from './call.ts'

/** Version 4 (Kafka 2.6) brought states, version 5 (Kafka 3.8) types. Every version lists the groups of every type. */
export const LIST_GROUPS = { apiKey: 16, newest: 5, oldest: 2 } as const

export interface ListedGroup {
  readonly group: string
  /** `consumer`, `connect`, …; empty for a group that never had a member. */
  readonly protocolType: string
  readonly state: string | undefined
  readonly type: string | undefined
}

/** The groups that one broker coordinates. */
export function listGroupsCall(version: number): Call<{ readonly errorCode: number; readonly groups: ListedGroup[] }> {
  return call({
    apiKey: LIST_GROUPS.apiKey,
    apiName: 'ListGroups',
    version,
    flexibleFrom: 3,
    write(writer, isFlexible) {
      if (version >= 4) writer.compactArray([], () => undefined) // states: all
      if (version >= 5) writer.compactArray([], () => undefined) // types: all
      if (isFlexible) writer.noTags()
    },
    read(reader, isFlexible) {
      const text = () => (isFlexible ? reader.compactString() : reader.string())
      reader.int32() // throttle time
      const errorCode = reader.int16()
      const readGroup = (): ListedGroup => {
        const group = text()
        const protocolType = text()
        const state = version >= 4 ? text() : undefined
        const type = version >= 5 ? text() : undefined
        if (isFlexible) reader.skipTags()
        return { group, protocolType, state, type }
      }
      return { errorCode, groups: isFlexible ? reader.compactArray(readGroup) : reader.array(readGroup) }
    },
  })
}
