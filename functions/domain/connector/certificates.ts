/**
 * The certificates of a PEM text: each as base64 without white space, or undefined if its text is no certificate. Line breaks that a
 * form has turned into blanks, and indented lines, do no harm.
 */
export function certificatesOf(pem: string): readonly (string | undefined)[] {
  return pem
    .split('-----BEGIN CERTIFICATE-----')
    .slice(1)
    .map((rest) => {
      const [body = '', ...more] = rest.split('-----END CERTIFICATE-----')
      const base64 = body.replace(/\s/g, '')
      return more.length > 0 && isDer(base64) ? base64 : undefined
    })
}

/** The DER form of a certificate begins with a SEQUENCE whose length takes two bytes: in base64 "MI". */
function isDer(base64: string): boolean {
  return base64.length % 4 === 0 && /^MI[A-Za-z0-9+/]+={0,2}$/.test(base64)
}
