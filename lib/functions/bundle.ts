import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, buildSync, type Metafile } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Modules that have another one in their place in each bundle. */
const standIns: Readonly<Record<string, string>> = {
  '@smithy/core/event-streams': standIn('no-event-streams'),
  'node:http': standIn('node-http'),
  'node:process': standIn('node-process'),
}

function standIn(name: string): string {
  return join(root, `functions/runtime/${name}.ts`)
}

/**
 * The SDK loads these only on demand, and the functions never need them: Lambda puts the role's credentials into the environment. Each
 * bundle is 150 KB smaller without them.
 */
const neverLoaded = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
]

/** Packages that are files of their own beside the bundle, so that only an `import()` of them reads them. */
const onDemand = ['re2js']

const options: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  // The SDK imports its package.json files for one version number in the user agent: 8 KB to parse at each cold start.
  loader: { '.json': 'empty' },
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  absWorkingDir: root,
  logLevel: 'warning',
}

export interface Bundle {
  /** The size of `index.mjs`, which is what a cold start reads (bytes). */
  readonly bytes: number
  /** The sources of `index.mjs`, and how much of each is there (bytes). */
  readonly inputs: Metafile['outputs'][string]['inputs']
}

/**
 * Writes the bundle of a function into `folder`: `index.mjs`, and beside it the packages that it loads on demand. `entry`: a file of this
 * repository, or a text. Throws if esbuild fails.
 */
export function bundleFunction(entry: { readonly file: string } | { readonly text: string }, folder: string): Bundle {
  const input: BuildOptions =
    'file' in entry
      ? { entryPoints: [join(root, entry.file)] }
      : { stdin: { contents: entry.text, resolveDir: root, sourcefile: 'index.ts', loader: 'ts' } }
  const filesOnDemand = Object.fromEntries(onDemand.map((name) => [name, `./${name}.mjs`]))
  const { metafile } = buildSync({
    ...options,
    ...input,
    alias: { ...standIns, ...filesOnDemand },
    inject: [join(root, 'functions/runtime/source-traces.ts')],
    external: [...neverLoaded, ...Object.values(filesOnDemand)],
    outfile: join(folder, 'index.mjs'),
    metafile: true,
  })
  const [, index] = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.mjs')) ?? []
  if (index === undefined) throw new Error('esbuild has written no bundle.')
  for (const name of onDemand) {
    const isImported = index.imports.some(({ path }) => path === filesOnDemand[name])
    if (isImported) buildSync({ ...options, entryPoints: [name], outfile: join(folder, `${name}.mjs`) })
  }
  return { bytes: index.bytes, inputs: index.inputs }
}
