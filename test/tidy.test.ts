import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
/** Every file that git tracks or would track. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(`${root}${file}`))
const text = (file: string) => readFileSync(`${root}${file}`, 'utf8')

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

  it('has no class in functions, lib or local with more fields than a reader keeps in mind', () => {
    const fieldsMax = 8
    const crowded = files
      .filter((file) => /^(functions|lib|local)\/.*\.ts$/.test(file))
      .flatMap((file) =>
        classesOf(text(file))
          .filter(({ fields }) => fields > fieldsMax)
          .map(({ name }) => `${file} ${name}`),
      )
    expect(crowded).toEqual([])
  })

  it('has no test that is skipped or that runs alone', () => {
    const off = files.filter(
      (file) => file.endsWith('.test.ts') && /\b(it|describe|test)\.(skip|only|todo)\b/.test(text(file)) && file !== 'test/tidy.test.ts',
    )
    expect(off).toEqual([])
  })

  it('has every folder and file that the README names', () => {
    const named = [...text('README.md').matchAll(/`((?:functions|local|simulation|test|docs|bench|examples)\/[\w./-]*)`/g)].map(
      ([, path]) => path ?? '',
    )
    expect(named.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })

  it('has every npm script that the README names', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts)
    const named = [...text('README.md').matchAll(/npm (?:-s )?run ([\w:]+)/g)].map(([, script]) => script ?? '')
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
