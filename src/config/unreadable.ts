/** What a kind of option says about a text that it cannot read. Who knows the option's name makes a usage error of it. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  /** How to write it instead, unless the message says so. */
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
