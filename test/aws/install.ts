import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { judgesDir } from './folders.ts'

/** Its message says what is missing and how to get it. */
export class Missing extends Error {}

interface Judge {
  readonly name: string
  /** The files of `judges/` that pin the versions. When they change, the judge is installed again. */
  readonly pins: readonly string[]
  /** The name of its folder in `.judges/`. */
  readonly folder: string
  install(folder: string): void
}

const javaWanted = 'Java 17 or newer: "apt-get install openjdk-17-jre-headless", or https://adoptium.net'

const pinsDir = join(import.meta.dirname, 'judges')

const judges: readonly Judge[] = [
  {
    name: 'moto, cfn-lint, sqlglot and parsers of syslog and CEF (Python)',
    pins: ['requirements.txt'],
    folder: 'venv',
    install(folder) {
      installPython(folder, 'requirements.txt')
    },
  },
  {
    name: 'checkov and the rules of the AWS Guard registry (Python)',
    // The rules come in a server, of which nothing else is wanted. So no dependency is installed that is not in the list.
    pins: ['rules.txt'],
    folder: 'rules',
    install(folder) {
      installPython(folder, 'rules.txt', '--no-deps')
    },
  },
  {
    name: 'DynamoDB Local (Java)',
    pins: ['pom.xml'],
    folder: 'dynamodb',
    install(folder) {
      need('mvn', ['--version'], 'Maven: "apt-get install maven", or https://maven.apache.org')
      const goal = 'dependency:copy-dependencies'
      run('mvn', ['--quiet', '--batch-mode', '--file', join(pinsDir, 'pom.xml'), goal, `-DoutputDirectory=${folder}`])
    },
  },
  {
    name: 'iam-simulate, and cfn-guard with the rules of Control Tower (npm)',
    pins: ['package.json', 'package-lock.json'],
    folder: 'npm',
    install(folder) {
      mkdirSync(folder)
      for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(pinsDir, file), join(folder, file))
      need('npm', ['--version'], 'npm, which comes with Node: https://nodejs.org')
      // cfn-guard comes in a plugin of the CDK, which would bring another CDK along.
      run('npm', ['ci', '--ignore-scripts', '--legacy-peer-deps', '--silent', '--prefix', folder])
    },
  },
]

/** Installs the missing judges into `.judges/`, in the versions that `judges/` pins. Throws `Missing`. */
export function installJudges(say: (line: string) => void): void {
  const java = need('java', ['--version'], javaWanted)
  if (Number(/\d+/.exec(java)?.[0]) < 17) throw new Missing(`This is ${java.split('\n')[0]}. The truth check needs ${javaWanted}.`)
  mkdirSync(judgesDir, { recursive: true })
  for (const { name, pins, folder, install } of judges) {
    const path = join(judgesDir, folder)
    const stamp = join(path, 'pins')
    const wanted = createHash('sha256')
    for (const pin of pins) wanted.update(readFileSync(join(pinsDir, pin)))
    const digest = wanted.digest('hex')
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) continue
    say(`Installing ${name} into .judges/${folder}`)
    rmSync(path, { recursive: true, force: true })
    install(path)
    // The stamp is written last, so that an installation that failed is done again.
    writeFileSync(stamp, digest)
  }
}

function installPython(folder: string, pins: string, ...flags: readonly string[]): void {
  need('python3', ['-m', 'venv', folder], 'Python 3.10 or newer with venv: "apt-get install python3-venv", or https://www.python.org')
  const install = ['install', '--quiet', '--disable-pip-version-check', ...flags, '--requirement', join(pinsDir, pins)]
  run(join(folder, 'bin/pip'), install)
}

/** Returns the output of the command. Throws `Missing` if it does not run. */
function need(command: string, args: readonly string[], what: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error === undefined && status === 0) return stdout
  throw new Missing(`"${command} ${args[0]}" does not run here: ${error?.message ?? stderr.trim()}\nThe truth check needs ${what}.`)
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Missing(`${command} could not install it (${error?.message ?? `exit code ${status}`}); see its output above.`)
}
