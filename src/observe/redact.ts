/** Shorter ones are no secrets, and to blank out every "a" would make a log unreadable. */
const charactersMin = 4
/** More than are good at the same time: one is asked for when the one before is about to end. */
const newestMax = 8

/**
 * Blanks out secrets wherever they stand: in messages, facts and stacks, of ours or of libraries. In plain form, as part of
 * a JSON string, and as part of a URL. Whoever reads a secret hides it before doing anything else with it.
 */
export class Redactor {
  readonly #hidden = new Set<string>()
  #forms: readonly string[] = []

  hide(secret: string): void {
    if (secret.length < charactersMin) return
    this.#hidden.add(secret)
    this.#spell()
  }

  /** For secrets that take each other's place, hour after hour: the newest of them are hidden, the others have ended long ago. */
  hideNewest(): (secret: string) => void {
    const newest: string[] = []
    return secret => {
      newest.push(secret)
      if (newest.length > newestMax) this.#hidden.delete(newest.shift() ?? '')
      this.hide(secret)
    }
  }

  #spell(): void {
    const forms = [...this.#hidden].flatMap(secret => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
    ])
    // Longest first: one secret may be a part of another.
    this.#forms = [...new Set(forms)].sort((a, b) => b.length - a.length)
  }

  clean(text: string): string {
    return this.#forms.reduce((clean, form) => clean.replaceAll(form, '[secret]'), text)
  }
}
