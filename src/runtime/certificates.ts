import { X509Certificate } from 'node:crypto'

/**
 * Throws when a PEM text of authorities is empty, cut off or nonsense. Node says nothing then: it trusts the rest, nobody, or, for an
 * empty text, all whom it trusts anyway.
 */
export function checkAuthorities(pem: string): void {
  const begun = pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/g)?.length ?? 0
  if (begun === 0) throw new Error('there is no certificate in it')
  const whole = pem.match(/-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]*-----END \1-----/g) ?? []
  if (whole.length < begun) throw new Error('a certificate in it is cut off')
  if (!whole.some(isCertificate)) throw new Error('what looks like a certificate in it is none')
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
