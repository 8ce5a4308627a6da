import { Annotations, App } from 'aws-cdk-lib'
import { keyPolicyStatements } from './key-policy.ts'
import { addRules } from './nag.ts'
import { readSettings, SettingsError } from './settings.ts'
import { TributaryStack } from './tributary-stack.ts'

const app = new App()
try {
  const { settings, overridden } = readSettings(app.node.getAllContext())
  const stack = new TributaryStack(app, 'Tributary', { settings })
  addRules(app)

  if (overridden.length > 0) {
    Annotations.of(stack).addWarningV2(
      'tributary:for-this-deploy-only',
      `Set on the command line, for this deploy only: ${overridden.join(', ')}. Put it into the settings file to keep it.`,
    )
  }
  if (settings.removalPolicy === 'destroy') {
    Annotations.of(stack).addWarningV2(
      'tributary:trial',
      'removalPolicy is destroy: destroying the stack deletes its tables and every event in its lake.',
    )
  }
  if (settings.kmsKeyArn !== undefined) {
    const statements = JSON.stringify(keyPolicyStatements(settings.kmsKeyArn, settings.namePrefix), undefined, 2)
    console.error(`The policy of the key ${settings.kmsKeyArn} must have these statements, or the deploy fails:\n${statements}\n`)
  }
} catch (error) {
  if (!(error instanceof SettingsError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
