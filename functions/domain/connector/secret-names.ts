import { failed, ok, type Result } from '../result.ts'
import type { Connector, SecretReference } from './connector.ts'
import { type Problem, quote } from './problems.ts'

/** The rules for the names of secrets in an item. */
export interface SecretNaming {
  /** Every name begins with it. */
  readonly prefix: string
  /** The tenant that the id names; absent if it names none. */
  readonly tenant: string | undefined
  /** The last accepted version of the connector. It may keep its secrets, wherever they lie. */
  readonly accepted: Connector | undefined
}

/** Reads the names of an item's secrets, each `name` or `name#jsonKey`. */
export function readSecretNames(names: readonly string[], naming: SecretNaming): Result<readonly SecretReference[], readonly Problem[]> {
  const problems = names.flatMap((name, index) => {
    const message = secretProblem(name, naming) ?? repetition(names, index)
    return message === undefined ? [] : [{ path: `apiKeySecrets[${index}]`, message }]
  })
  return problems.length > 0 ? failed(problems) : ok(names.map(secretReference))
}

function secretReference(name: string): SecretReference {
  const [secretName = '', ...jsonKey] = name.split('#')
  return jsonKey.length === 0 ? { secretName } : { secretName, jsonKey: jsonKey.join('#') }
}

/** A text without the prefix is not repeated: it may be a key that was pasted in place of its name. */
function secretProblem(name: string, { prefix, tenant, accepted }: SecretNaming): string | undefined {
  const { secretName, jsonKey } = secretReference(name)
  const path = tenant === undefined ? prefix : `${prefix}${tenant}/`
  if (!secretName.startsWith(prefix)) {
    const seen = secretName.startsWith('arn:') ? 'an ARN' : `a text of ${name.length} characters`
    return `It is ${seen} that does not begin with ${quote(path)}. Give the name of a secret under that path, or name#jsonKey. If it is an API key, make a new key and store that in a secret: this one is exposed.`
  }
  if (secretName === prefix || secretName === path) {
    return `It is the path alone. Give the whole name of a secret, such as ${quote(`${path}name`)}.`
  }
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(secretName)) {
    return `It is ${quote(name)}. The name of a secret has 1 to 512 letters (A to Z), digits and / _ + = . @ -. Give it as Secrets Manager shows it.`
  }
  if (jsonKey !== undefined && !/^[^\p{C}#]{1,128}$/u.test(jsonKey)) {
    return `It is ${quote(name)}. The part after # must be the name of one member of the secret’s JSON object, 1 to 128 characters. Give name#jsonKey.`
  }
  const isKept = accepted?.apiKeySecrets.some((before) => before.secretName === secretName) === true
  if (!secretName.startsWith(path) && !isKept) {
    return `It is ${quote(name)}, and the secrets of this tenant lie under ${quote(path)}. Store the key in a secret there, such as ${quote(`${path}key`)}, and name that.`
  }
  return undefined
}

function repetition(all: readonly string[], index: number): string | undefined {
  const name = all[index]
  const first = name === undefined ? index : all.indexOf(name)
  return first < index ? `It is ${quote(name)}, the same as apiKeySecrets[${first}]. Name each secret once.` : undefined
}
