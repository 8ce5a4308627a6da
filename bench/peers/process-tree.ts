import { readFileSync } from 'node:fs'

/** A process and all that it started, on Linux. Processes that have ended meanwhile count as nothing. */
function treeOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(treeOf)]
}

/** The memory of all processes that `pid` started (RSS, bytes). Pages that they share count for each. */
export function childrenRss(pid: number): number {
  const kib = treeOf(pid)
    .slice(1)
    .map((child) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${child}/status`))?.[1] ?? 0))
  return kib.reduce((sum, each) => sum + each, 0) * 1024
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
