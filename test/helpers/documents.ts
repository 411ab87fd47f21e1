import { dirname, join, posix } from 'node:path';
import { Command } from 'commander';
import { COMMANDS } from '../../src/cli/commands.ts';
import type { CliContext } from '../../src/cli/context.ts';

/** Checks of our documents. Each gives its complaints, one a line. Paths are relative to the root of the project. */

/** Whether a path is there. */
export type Exists = (path: string) => boolean;

const LINK = /!?\[[^\]]*\]\(([^)\s]+)\)/g;

/** Relative links that lead nowhere, and anchors without a heading. `read` gives the text of another document. */
export function deadLinks(file: string, text: string, exists: Exists, read: (path: string) => string): string[] {
  const targets = [...text.matchAll(LINK)].map((match) => match[1]!).filter((target) => !/^[a-z]+:/.test(target));
  return targets.flatMap((target) => {
    const [path, anchor] = target.split('#') as [string, string?];
    const place = path === '' ? file : posix.join(posix.dirname(file), path);
    if (!exists(place)) return [`${file} links to ${place}, which is nowhere`];
    const isFound = anchor === undefined || headings(path === '' ? text : read(place)).includes(anchor);
    return isFound ? [] : [`${file} links to ${target}, which has no such heading`];
  });
}

/** As GitHub makes anchors of them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

const CODE = /`([^`\n]+)`/g;
const PATH = /^[\w.-]+(?:\/[\w.-]+)+\/?$/;

/**
 * Paths in code marks that are not there. What counts as one begins with a folder of the project, of the document or of `src/`.
 * `data/` is made when the program first runs.
 */
export function deadPaths(file: string, text: string, exists: Exists): string[] {
  const bases = ['.', dirname(file), 'src'];
  const paths = [...text.matchAll(CODE)]
    .map((match) => match[1]!.replace(/^\.\//, ''))
    .filter((code) => PATH.test(code));
  return paths
    .filter((path) => !path.startsWith('data/') && bases.some((base) => exists(join(base, path.split('/')[0]!))))
    .filter((path) => !bases.some((base) => exists(join(base, path)) || exists(join(base, `${path}.ts`))))
    .map((path) => `${file} names ${path}, which is nowhere`);
}

/** Names of variables that are not known, and, where `isComplete`, known ones that are not named. */
export function strayVariables(file: string, text: string, known: readonly string[], isComplete: boolean): string[] {
  const named = new Set([...text.matchAll(/SCHOOLGATE_([A-Z_]*[A-Z])/g)].map((match) => match[1]!));
  const unknown = [...named].filter((name) => !known.includes(name.replace(/_FILE$/, '')));
  const missing = isComplete ? known.filter((name) => !named.has(name)) : [];
  return [
    ...unknown.map((name) => `${file} names SCHOOLGATE_${name}, which is not known`),
    ...missing.map((name) => `${file} does not name SCHOOLGATE_${name}`),
  ];
}

/** npm scripts that are named and not there. */
export function strayScripts(file: string, text: string, scripts: readonly string[]): string[] {
  const named = [...text.matchAll(/\bnpm (?:run ([a-z]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2]!);
  return named.filter((name) => !scripts.includes(name)).map((name) => `${file} names npm run ${name}`);
}

/** The command line without what it does, as `src/main.ts` has it. */
export function commandLine(): Command {
  const program = new Command('schoolgate').option('--verbose');
  for (const register of COMMANDS) register(program, {} as CliContext);
  return program;
}

/** `unblock approve` and all the others that do something. */
export function leavesOf(command: Command, before = ''): string[] {
  return command.commands.flatMap((one) => {
    const name = `${before}${one.name()}`;
    return one.commands.length === 0 ? [name] : leavesOf(one, `${name} `);
  });
}

/** Commands and options after `npx schoolgate` that the command line does not have. */
export function strayCommands(file: string, text: string, program: Command): string[] {
  return [...text.matchAll(/npx schoolgate((?: +[^\s`#]+)*)/g)].flatMap((match) => {
    const words = match[1]!.split(/ +/).filter((word) => word !== '');
    const fault = faultOf(words, program);
    return fault === null ? [] : [`${file}: npx schoolgate${match[1]}: ${fault}`];
  });
}

function faultOf(words: readonly string[], program: Command): string | null {
  let command = program;
  for (const word of words) {
    if (word.startsWith('--')) {
      const isKnown = word === '--help' || command.options.some((option) => option.long === word);
      if (!isKnown) return `there is no ${word}`;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (next !== undefined) command = next;
    // A word in capitals stands for something.
    else if (command.commands.length > 0 && !/^[A-Z]+$/.test(word)) return `there is no ${word}`;
  }
  return null;
}
