import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
/** Every file that git tracks or would track. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(`${root}${file}`))
const text = (file: string) => readFileSync(`${root}${file}`, 'utf8')

/** Pages for readers of the code. Every path and script that they name must exist. */
const pagesForReaders = ['docs/architecture.md', 'CONTRIBUTING.md', 'SECURITY.md']

describe('the tree', () => {
  it('names a vendor in functions/ only in the folder of that vendor', () => {
    const named = files.filter(
      (file) =>
        file.startsWith('functions/') &&
        !file.startsWith('functions/vendors/') &&
        /trend|tmcas|sharepoint|cloud.?app.?security/i.test(text(file)),
    )
    expect(named).toEqual([])
  })

  it('has no file in functions or local that is longer than one concept needs', () => {
    const linesMax = 450
    const long = files.filter((file) => /^(functions|local)\/.*\.ts$/.test(file) && text(file).split('\n').length > linesMax)
    expect(long).toEqual([])
  })

  it('has no folder in functions, lib or local with more files than a reader takes in at one look', () => {
    const filesMax = 15
    const folders = Map.groupBy(
      files.filter((file) => /^(functions|lib|local)\//.test(file)),
      (file) => dirname(file),
    )
    expect([...folders].filter(([, { length }]) => length > filesMax).map(([folder]) => folder)).toEqual([])
  })

  it('has no class with more fields than a reader keeps in mind', () => {
    const fieldsMax = 8
    const crowded = files
      .filter((file) => file.endsWith('.ts') && !/^test\/releases\/\d/.test(file))
      .flatMap((file) =>
        classesOf(text(file))
          .filter(({ fields }) => fields > fieldsMax)
          .map(({ name }) => `${file} ${name}`),
      )
    expect(crowded).toEqual([])
  })

  it('has no comment that begins with a word which hides its subject', () => {
    const riddle = /(?:\/\*\*\s+(?:\* )?|^\s*\/\/ )(?:Of|What|Who|Where|Whose) /m
    const riddles = files.filter((file) => file.endsWith('.ts') && !/^test\/releases\/\d/.test(file) && riddle.test(text(file)))
    expect(riddles).toEqual([])
  })

  it('has no test that is skipped or that runs alone', () => {
    const off = files.filter(
      (file) => file.endsWith('.test.ts') && /\b(it|describe|test)\.(skip|only|todo)\b/.test(text(file)) && file !== 'test/tidy.test.ts',
    )
    expect(off).toEqual([])
  })

  it('has every folder and file that the README names', () => {
    const named = [...text('README.md').matchAll(/`((?:functions|lib|local|simulation|test|docs|tools|bench|examples)\/[\w./-]*)`/g)].map(
      ([, path]) => path ?? '',
    )
    expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })

  it('has every npm script that the README names', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts)
    const named = [...text('README.md').matchAll(/npm (?:-s )?run ([\w:-]+)/g)].map(([, script]) => script ?? '')
    expect(named.filter((script) => !scripts.includes(script))).toEqual([])
  })

  it.each(pagesForReaders)('has every folder and file that %s names', (page) => {
    const named = pathsIn(text(page))
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })

  it.each(pagesForReaders)('has every file and heading that %s links to', (page) => {
    const links = [...text(page).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]+))?\)/g)]
    const broken = links.filter(([, path, heading]) => {
      const file = path === undefined || path === '' ? page : join(dirname(page), path)
      return !existsSync(`${root}${file}`) || (heading !== undefined && !anchorsOf(text(file)).includes(heading))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it.each(pagesForReaders)('has every npm script that %s names', (page) => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts)
    const named = [...text(page).matchAll(/npm (?:-s )?run ([\w:-]+)/g)].map(([, script]) => script ?? '')
    expect(named.filter((script) => !scripts.includes(script))).toEqual([])
  })
})

/** The classes of a formatted source file, with the number of their fields: declarations at one level of indentation. */
function classesOf(source: string): { readonly name: string; readonly fields: number }[] {
  return [...source.matchAll(/^(?:export )?(?:abstract )?class (\w+)[^\n]*\{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => ({
    name,
    fields: [...body.matchAll(/^ {2}(?:(?:private|protected|public|static|override|readonly|declare) )*[\w#]+[?!]?(?::| =)/gm)].length,
  }))
}

/** The paths in the code spans and code blocks of a page: those that begin with a folder of the project, and files of its root. */
function pathsIn(page: string): readonly string[] {
  const code = [...page.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([span]) => span.replaceAll('`', ''))
  const folder = /(?<![\w./<>-])(?:\.ci|\.github|functions|lib|local|simulation|test|bench|tools|docs|examples)\/[\w./-]*/g
  const rootFile = /^[\w-]+\.(?:jsonc?|md|grit|ts|js)$/
  return code.flatMap((span) => [...(span.match(folder) ?? []), ...(span.match(rootFile) ?? [])].map((path) => path.replace(/\.$/, '')))
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
