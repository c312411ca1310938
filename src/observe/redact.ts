/** Shorter ones are no secrets, and to blank out every "a" would make a log unreadable. */
const charactersMin = 4

/**
 * Blanks out the texts wherever they stand: in messages, facts and stacks, of ours or of libraries. In plain form, as part
 * of a JSON string, and as part of a URL.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter(secret => secret.length >= charactersMin)
    .flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
  // Longest first: one secret may be a part of another.
  const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return text => sorted.reduce((clean, form) => clean.replaceAll(form, '[secret]'), text)
}
