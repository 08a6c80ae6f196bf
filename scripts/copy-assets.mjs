// Copies what tsc does not: data files that the program reads at run time.
import { cpSync } from 'node:fs';

cpSync('schemas', 'dist/schemas', { recursive: true });
cpSync('config/presets', 'dist/config/presets', { recursive: true });
cpSync('src/cli/adapter-template', 'dist/src/cli/adapter-template', { recursive: true });
