// Writes docs/conformance.md: which test shows which requirement.
import { writeFileSync } from 'node:fs';
import { runnerImport } from 'vite';

const { module } = await runnerImport('./test/conformance/matrix.ts', { configFile: false, logLevel: 'error' });
const tests = module.allNamedTests();
const [requirements, exceptions] = [module.readRequirements(), module.readExceptions()];
writeFileSync('docs/conformance.md', module.renderConformance(requirements, tests, exceptions));
const problems = module.matrixProblems(requirements, tests, exceptions);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
