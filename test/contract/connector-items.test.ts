import { startDynalite } from '../dynalite.ts'
import { connectorItemsContract } from './connector-items-contract.ts'

connectorItemsContract('dynalite', startDynalite)
