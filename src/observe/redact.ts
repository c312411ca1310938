/** Shorter ones are no secrets, and to blank out every "a" would make a log unreadable. */
const charactersMin = 4

/**
 * Blanks out secrets wherever they stand: in messages, facts and stacks, of ours or of libraries. In plain form, as part of
 * a JSON string, and as part of a URL. Whoever reads a secret hides it before doing anything else with it.
 */
export class Redactor {
  #forms: readonly string[] = []

  hide(secret: string): void {
    if (secret.length < charactersMin) return
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
    // Longest first: one secret may be a part of another.
    this.#forms = [...new Set([...this.#forms, ...forms])].sort((a, b) => b.length - a.length)
  }

  clean(text: string): string {
    return this.#forms.reduce((clean, form) => clean.replaceAll(form, '[secret]'), text)
  }
}
