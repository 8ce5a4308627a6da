import { defineConfig } from 'vitest/config'
import { projectDir } from './folders.ts'

/** The deployment runs first. The other tests judge its results. */
export default defineConfig({
  test: {
    root: projectDir,
    // The deployment waits most of its time.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'deployment',
          include: ['test/aws/{deployment,state,template,rules}.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Not 0, because with one worker the files of group 0 come last.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'judgement',
          include: ['test/aws/*.test.ts'],
          exclude: ['test/aws/{deployment,state,template,rules}.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
