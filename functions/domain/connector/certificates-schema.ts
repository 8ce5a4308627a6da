import * as z from 'zod/mini'
import { certificatesOf } from './certificates.ts'
import { mustBe } from './problems.ts'

/** The certificates of a connector as users paste them: a PEM text that is allowed, and what is wrong with any other. */

const pemRule = 'one or more certificates in PEM form: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----'

/** Returns the problem with the text, if there is one, and repeats no part of it. A certificate's trust is checked when it is used. */
function pemProblem(pem: string): string | undefined {
  if (pem.includes('PRIVATE KEY')) return 'It holds a private key. Give certificates only, and make a new private key: this one is exposed.'
  const certificates = certificatesOf(pem)
  if (certificates.length === 0) return `It is a text of ${pem.length} characters without a certificate. Give ${pemRule}.`
  const unreadable = certificates.filter((certificate) => certificate === undefined).length
  if (unreadable === 0) return undefined
  return `${unreadable} of its ${certificates.length} certificates cannot be read. Give ${pemRule}. Use real line breaks, not "\\n".`
}

export const certificatesSchema = z.string({ error: mustBe(pemRule) }).check(
  z.superRefine((text, context) => {
    const message = pemProblem(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }),
)
