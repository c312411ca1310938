import type { Entry } from './entries.ts'

/**
 * Of the saved offsets that go to one target partition, those of groups that have others for it, of another topic: with that topic. A
 * group can have one offset there, and headers do not tell of which topic a record was. Pure.
 */
export function rivalsIn(entries: readonly Entry[]): ReadonlyMap<Entry, string> {
  const found = new Map<Entry, string>()
  for (const of of Map.groupBy(entries, entry => entry.targetGroup).values()) {
    for (const entry of of) {
      const other = of.find(({ topic }) => topic !== entry.topic)
      if (other !== undefined) found.set(entry, other.topic)
    }
  }
  return found
}

/** Why neither of them is restored, and what to do. */
export function rivalReason({ group, topic, target }: Entry, other: string): string {
  const renamed = topic === target.topic ? topic : other
  return `${group} has offsets of ${topic} and of ${other}, and both topics are called ${target.topic} here: say what ${renamed} was restored as (--rename ${renamed}=NAME; a NAME that does not exist leaves it out), or leave the group out (--exclude-groups)`
}
