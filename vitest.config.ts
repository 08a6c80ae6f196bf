import { defineConfig } from 'vitest/config';

const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/property-seed.ts'],
    testTimeout: 30_000,
    // Tests with real servers, faults and time-outs share CI's two cores: one that was late once may try again.
    retry: process.env.CI === 'true' ? 1 : 0,
    hookTimeout: 120_000,
    // Much of the time is spent waiting for servers: a core is not left idle for the runner itself.
    maxWorkers: '100%',
    reporters: report === undefined ? ['default'] : ['default', 'json'],
    ...(report === undefined ? {} : { outputFile: { json: report } }),
  },
});
