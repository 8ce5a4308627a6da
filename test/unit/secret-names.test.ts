import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, it } from 'vitest'
import { secretNames } from '../../functions/adapters/secret-names.ts'

const aws = mockClient(SecretsManagerClient)
const names = secretNames({ client: new SecretsManagerClient({}), secretPrefix: 'tributary/' })
const page = (...found: readonly string[]) => ({ SecretList: found.map((Name) => ({ Name })) })

beforeEach(() => aws.reset())

describe('the names of a tenant’s secrets', () => {
  it('are those under its path, and the secrets of a tenant with a longer name are not among them', async () => {
    aws
      .on(ListSecretsCommand)
      .resolves(page('tributary/acme/cas', 'tributary/acme-2/cas', 'tributary/ACME/cas', 'other/tributary/acme/cas'))
    expect(await names('acme')).toEqual(['tributary/acme/cas'])
  })

  it('are collected from every page, an empty one included', async () => {
    aws
      .on(ListSecretsCommand)
      .resolvesOnce({ ...page('tributary/acme/a'), NextToken: '1' })
      .resolvesOnce({ ...page(), NextToken: '2' })
      .resolves(page('tributary/acme/b'))
    expect(await names('acme')).toEqual(['tributary/acme/a', 'tributary/acme/b'])
  })

  it('are 100 at most, and then no further page is asked for', async () => {
    const sixty = Array.from({ length: 60 }, (_, i) => `tributary/acme/${i}`)
    aws.on(ListSecretsCommand).resolves({ ...page(...sixty), NextToken: 'more' })
    expect(await names('acme')).toHaveLength(100)
    expect(aws.calls()).toHaveLength(2)
  })

  it('are the only thing that is asked for: no value is read', async () => {
    aws.on(ListSecretsCommand).resolves(page())
    expect(await names('acme')).toEqual([])
    expect(aws.calls().map(({ args: [{ input }] }) => input)).toEqual([{ Filters: [{ Key: 'name', Values: ['tributary/acme/'] }] }])
  })
})
