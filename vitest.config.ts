import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need Java, Maven and Python, or a browser: `npm run test:aws` and `npm run test:browser` run them.
    exclude: ['test/aws/**', 'test/browser/**'],
    // Vitest leaves one core idle otherwise.
    maxWorkers: '100%',
    // A hang ends at this time (ms). A busy machine needs a minute for the longest simulation.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
