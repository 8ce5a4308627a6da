import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { startDynalite } from '../dynalite.ts'
import { stateContract } from './state-contract.ts'

stateContract('dynalite', async () => {
  const { client, create, close } = await startDynalite()
  return { client, createStateTable: (name) => create(stateTableDefinition(name)), close }
})
