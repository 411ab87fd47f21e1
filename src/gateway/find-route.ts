import { type Admission, admitAddresses } from './admit.ts';
import type { GatewayContext } from './context.ts';
import type { Route } from './dial.ts';
import { accessRecord, announce, NOTHING_YET } from './record.ts';

/**
 * The checked way to an admitted target. Its addresses are judged as well: afterwards the decision may be a refusal, and then nothing
 * was told yet. Else an adult has been told what they should know before this resolves. Rejects with an UpstreamError.
 */
export async function findRoute(context: GatewayContext, admission: Admission): Promise<Route> {
  const { ask, retarget, snapshots } = admission;
  const { host, port } = ask.target!;
  let route: Route;
  try {
    route = await context.dialler.route(host, retarget, port, snapshots.destinations);
  } catch (error) {
    await tell(context, admission);
    throw error;
  }
  admitAddresses(context, admission, route.addresses);
  if (admission.decision.verdict === 'allow') await tell(context, admission);
  return route;
}

async function tell(context: GatewayContext, admission: Admission): Promise<void> {
  const told = announce(context, admission, accessRecord(context, admission, NOTHING_YET));
  if (told !== null) await told;
}
