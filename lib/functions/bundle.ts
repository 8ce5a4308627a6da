import { fileURLToPath } from 'node:url'

/** Options of `NodejsFunction`. The bench bundles with them as well, so that it measures the deployed code. */
export const bundle = {
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  sourceMap: true,
  sourcesContent: false,
  /**
   * The SDK loads these only on demand, and the functions never need them: Lambda puts the role's credentials into the environment. Each
   * bundle is 150 KB smaller without them.
   */
  externalModules: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@smithy/credential-provider-imds',
  ],
  /** The SDK imports its package.json files for one version number in the user agent: 8 KB to parse at each cold start. */
  loader: { '.json': 'empty' as const },
  banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}

/** Modules that have another one in their place in each bundle. */
export const standIns: Readonly<Record<string, string>> = {
  '@smithy/core/event-streams': standIn('no-event-streams'),
  'node:http': standIn('node-http'),
}

function standIn(name: string): string {
  return fileURLToPath(new URL(`../../functions/runtime/${name}.ts`, import.meta.url))
}
