import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AddCommand, type CliEnvironment, UsageError } from './cli.js';

/** The files of a new adapter, with placeholders. */
const templateFolder = fileURLToPath(new URL('./adapter-template/', import.meta.url));
/** Where this program is installed: `dist/` lies in it. */
const programFolder = fileURLToPath(new URL('../../../', import.meta.url));

/** `adapter`: for people who write one. */
export const addAdapter: AddCommand = (program, environment) => {
  program
    .command('adapter')
    .description('Write an adapter of your own, for a backend that no built-in one fits.')
    .command('new')
    .description('Write an adapter that works, with its tests, a gateway.yaml that uses it and a README.')
    .argument('<name>', 'of the backend: lower-case letters, digits and "-", such as hr')
    .option('--dir <folder>', 'where to write it (default: a folder of that name)')
    .action((name: string, { dir }: { dir?: string }) => writeAdapter(name, dir ?? name, environment));
};

/** @throws UsageError when the name is none, or a file is there already; then nothing is written */
function writeAdapter(name: string, dir: string, { stdout, version }: CliEnvironment): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 50) {
    throw new UsageError(
      `"${name}" is no possible name: it starts with a lower-case letter, and goes on with lower-case letters, digits and single "-".`,
    );
  }
  const folder = resolve(dir);
  const files = readdirSync(templateFolder).sort();
  const present = files.filter((file) => existsSync(join(folder, file)));
  if (present.length > 0) {
    throw new UsageError(`${dir} holds ${present.join(', ')} already: --dir names another folder.`);
  }
  const replacements: Readonly<Record<string, string>> = {
    __NAME__: name,
    __PACKAGE__: `scimbridge-${name}`,
    __PEER__: `^${version}`,
    __SOURCE__: sourceOf(folder, version),
  };
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    const text = readFileSync(join(templateFolder, file), 'utf8');
    writeFileSync(
      join(folder, file),
      text.replace(/__[A-Z]+__/g, (placeholder) => replacements[placeholder] ?? placeholder),
      { flag: 'wx' },
    );
  }
  stdout.write(
    `${dir} holds the adapter "${name}": ${files.join(', ')}.\n\nIt works as it is, with records in memory:\n`,
  );
  for (const step of [`cd ${dir}`, 'npm install', 'npm test', 'npx scimbridge check']) stdout.write(`  ${step}\n`);
}

/** What npm is to install for the author: the version, or this very program where it was not installed as a package. */
function sourceOf(folder: string, version: string): string {
  if (programFolder.split(sep).includes('node_modules')) return `^${version}`;
  return `file:${relative(folder, resolve(programFolder)).split(sep).join('/')}`;
}
