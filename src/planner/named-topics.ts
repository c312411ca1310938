import { Unreadable } from '../config/unreadable.ts'

interface NamedTopic {
  readonly source: string
  readonly target: string | undefined
}

/** `orders`, and `orders/orders.restored` or `orders:orders.restored`, as other programs write a topic with a new name. */
export function namedTopics(given: unknown): readonly NamedTopic[] {
  return (given as readonly string[]).map(text => {
    const [, source, target] = /^([\w.-]{1,249})(?:[/:]([\w.-]{1,249}))?$/.exec(text) ?? []
    if (source === undefined)
      throw new Unreadable(`'${text}' is not a topic`, 'write it like orders or orders/orders.new')
    return { source, target }
  })
}

/** Those that get another name. */
export function renamedTopics(given: unknown): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>()
  for (const { source, target } of namedTopics(given)) if (target !== undefined) renamed.set(source, target)
  return renamed
}
