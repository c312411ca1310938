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

/** A regex that can match no topic, in which users of other programs say how one is to be called. Throws Unreadable. */
export function refuseNewName(regex: string): void {
  const [, source, target] = /^([\w.\\-]+)[/:]([\w.\\-]+)$/.exec(regex) ?? []
  if (source === undefined || target === undefined) return
  const [from, to] = [source, target].map(name => name.replaceAll('\\', ''))
  throw new Unreadable(
    `'${regex}' matches no topic: no name has a colon or a slash in it`,
    `to restore ${from} as ${to}: --topics ${source} --rename ${from}=${to}`,
  )
}

/** Those that get another name, as --rename takes them. */
export function renamedTopics(given: unknown): readonly string[] {
  return namedTopics(given).flatMap(({ source, target }) => (target === undefined ? [] : [`${source}=${target}`]))
}
