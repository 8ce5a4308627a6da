import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need Java, Maven and Python: `npm run test:aws` runs them.
    exclude: ['test/aws/**'],
    // Vitest leaves one core idle otherwise.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
