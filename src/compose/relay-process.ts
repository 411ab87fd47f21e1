import { readEnvironment } from '../config/environment.ts';
import { childProcess } from './child-process.ts';
import { type RelayOrders, runRelay } from './relay.ts';

childProcess((orders, link) => runRelay(readEnvironment(process.env, process.cwd()), orders as RelayOrders, link));
