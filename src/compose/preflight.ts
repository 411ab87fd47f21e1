import { existsSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { loadCatalogue } from '../categories/catalogue.ts';
import { CATALOGUE_FILE } from '../categories/catalogue-files.ts';
import { isIndexCurrent, readManifest } from '../categories/current-index.ts';
import { describeIndex } from '../categories/describe-index.ts';
import { readIllegalKeys } from '../categories/illegal-key-file.ts';
import { createDataFolders, type DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { isConsoleFolder, loadOrCreateKeys, loadPublicKey } from '../events/signing.ts';
import { InvalidInputError, type Problem, SchoolgateError } from '../kernel/errors.ts';
import { compileFolder } from '../policy/load.ts';
import { fetchNeverLoaded } from './first-fetch.ts';
import { buildLists } from './rebuild-index.ts';

/** What could not be used but has a last good form, so that the start goes on: one sentence each. */
export type Warnings = readonly string[];

/**
 * Everything that can be known to be wrong before a process is started, all of it at once in an InvalidInputError: folders,
 * ports, policies, lists. `role` gateway takes policies and index from its console, and needs that console's public key.
 */
export async function preflight(
  environment: Environment,
  layout: DataLayout,
  role: 'start' | 'gateway',
): Promise<Warnings> {
  createDataFolders(layout);
  await refuseSecondStart(layout);
  if (role === 'start') loadOrCreateKeys(layout);
  else loadPublicKey(layout);
  const warnings: string[] = [];
  const problems: Problem[] = [...(await busyPorts(environment, role))];
  if (role === 'gateway') warnings.push(...(await missingHere(layout)));
  else problems.push(...policyProblems(environment, layout, warnings));
  if (role === 'start' && problems.length === 0) problems.push(...(await fetchNeverLoaded(environment, layout)));
  if (role === 'start' && problems.length === 0) problems.push(...(await ensureIndex(environment, layout, warnings)));
  if (problems.length > 0) throw new InvalidInputError('Schoolgate cannot start', problems);
  return warnings;
}

/** Held by the supervisor for as long as it runs; a second one on the same data folder would write into the same files. */
export function supervisorSocket(layout: DataLayout): string {
  return join(layout.run, 'supervisor.sock');
}

/** Whether a gateway runs on this data folder. */
export function isRunning(layout: DataLayout): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(supervisorSocket(layout));
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

async function refuseSecondStart(layout: DataLayout): Promise<void> {
  if (!(await isRunning(layout))) return;
  throw new SchoolgateError(
    'already_running',
    'client',
    `Schoolgate already runs on ${layout.root}; stop it first, or set SCHOOLGATE_DATA_DIR.`,
  );
}

/** What a gateway waits for. An index that is not what was sent is as good as none: it is put out of the way and sent again. */
async function missingHere(layout: DataLayout): Promise<string[]> {
  const current = join(layout.index, 'current.json');
  const isSound = await describeIndex(layout).then(
    (found) => found !== null,
    () => false,
  );
  // A sentence now is better than workers that die one after the other.
  if (isSound && readManifest(layout)!.illegal !== undefined) readIllegalKeys(layout.illegalKey);
  const isDamaged = !isSound && existsSync(current);
  const isConsoles = isConsoleFolder(layout);
  if (isDamaged && isConsoles) throw new SchoolgateError('index_unusable', 'client', BUILD_IT);
  if (isDamaged) rmSync(current);
  const missing = [
    ...(existsSync(join(layout.lastGoodSnapshots, 'policy.json')) ? [] : ['no policy']),
    ...(isSound ? [] : [isDamaged ? 'no index that is whole' : 'no index of the lists']),
  ];
  return [
    ...(isConsoles ? [CONSOLES_FOLDER] : []),
    ...(missing.length === 0
      ? []
      : [`This gateway has ${missing.join(' and ')} yet: its doors stay closed until the console has sent it.`]),
  ];
}

const BUILD_IT =
  'The index of the lists is gone or damaged, and this is the console’s data folder: run npx schoolgate lists build.';
const CONSOLES_FOLDER =
  'This data folder holds keys/console.key: the index is taken as the console builds it here. If the console runs elsewhere, remove that key.';

/** Workers share their port on purpose, so the system would let a stranger share it too: ask for it alone first. */
export async function busyPorts(environment: Environment, role: 'start' | 'gateway'): Promise<Problem[]> {
  const { proxyHost, proxyPort, httpsProxyPort, consoleHost, consolePort, frontHost, frontPort } = environment;
  const wanted: [string, string, number | null][] = [
    ['PROXY_PORT', proxyHost, proxyPort],
    ['HTTPS_PROXY_PORT', proxyHost, httpsProxyPort],
    ['FRONT_PORT', frontHost, frontPort],
  ];
  if (role === 'start') wanted.push(['CONSOLE_PORT', consoleHost, consolePort]);
  const found = await Promise.all(
    wanted.map(async ([name, host, port]) => (port ? bindProblem(name, host, port) : null)),
  );
  return found.filter((problem) => problem !== null);
}

function bindProblem(name: string, host: string, port: number): Promise<Problem | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on (${error.code})`;
      resolve({ file: `SCHOOLGATE_${name}`, reason: `port ${port} on ${host} ${why}; free it or choose another` });
    });
    server.listen({ host, port }, () => server.close(() => resolve(null)));
  });
}

function policyProblems(environment: Environment, layout: DataLayout, warnings: string[]): readonly Problem[] {
  const problems = readPolicyProblems(environment);
  if (problems.length === 0 || !existsSync(join(layout.lastGoodSnapshots, 'policy.json'))) return problems;
  // A typing error in a file must not leave the school without its filter: what was published last stays in force.
  warnings.push(
    `The policy files are not valid; the policy published last stays in force. npx schoolgate policy validate lists what is wrong.`,
  );
  return [];
}

function readPolicyProblems(environment: Environment): readonly Problem[] {
  try {
    const compiled = compileFolder(environment.policyDir, loadCatalogue(environment.listsDir).categories);
    return 'problems' in compiled ? compiled.problems : [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
}

/**
 * Builds the category index, in a process of its own, where the lists have changed. A build that fails leaves the old index in
 * force with a warning; so does a list that could not be read. At the very first start there is nothing to fall back on: then
 * both are problems. A list of a locked category that is named and never loaded is one at every start.
 */
async function ensureIndex(
  environment: Environment,
  layout: DataLayout,
  warnings: string[],
): Promise<readonly Problem[]> {
  const current = join(layout.index, 'current.json');
  const isFirst = !existsSync(current);
  const isCurrent = await isIndexCurrent(environment.listsDir, layout);
  const said = isCurrent ? '' : (await buildLists(environment.listsDir, layout)).complaint;
  const isBuilt = said === '' || (await isIndexCurrent(environment.listsDir, layout));
  const alarms = existsSync(current) ? readManifest(layout)!.alarms : [];
  if (isFirst && (!isBuilt || alarms.length > 0)) {
    rmSync(current, { force: true });
    return (isBuilt ? alarms : [said]).map((reason) => ({ file: environment.listsDir, reason }));
  }
  if (!isBuilt) warnings.push(`The lists could not be built; the index built last stays in use. ${said}`);
  else warnings.push(...alarms);
  return neverLoaded(environment, layout);
}

function neverLoaded({ listsDir }: Environment, layout: DataLayout): Problem[] {
  const loaded = new Set(readManifest(layout)?.illegal?.lists.map(({ id }) => id));
  return loadCatalogue(listsDir)
    .illegal.filter(({ id }) => !loaded.has(id))
    .map(({ id, category, line }) => ({
      file: join(listsDir, CATALOGUE_FILE),
      line,
      reason: `list "${id}" of the locked category ${category} never loaded, and nothing is served without it; mend its source or take it out`,
    }));
}
