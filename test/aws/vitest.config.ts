import { defineConfig } from 'vitest/config'
import { projectDir } from './folders.ts'

/** The deployment runs first; the others judge what it left. */
export default defineConfig({
  test: {
    root: projectDir,
    projects: [
      {
        test: {
          name: 'deployment',
          include: ['test/aws/{deployment,state,template}.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Not 0: files of that group come last where there is one worker only.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'judgement',
          include: ['test/aws/*.test.ts'],
          exclude: ['test/aws/{deployment,state,template}.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
