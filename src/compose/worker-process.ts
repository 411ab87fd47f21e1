import { readEnvironment } from '../config/environment.ts';
import { childProcess } from './child-process.ts';
import { runWorker, type WorkerOrders } from './worker.ts';

childProcess((orders, link) => runWorker(readEnvironment(process.env, process.cwd()), orders as WorkerOrders, link));
