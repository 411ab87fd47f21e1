import { SchoolgateError } from '../kernel/errors.ts';

/** Proxy error types of RFC 9209 §2.3 that this gateway uses, with the status each is answered with. */
const STATUS = {
  dns_timeout: 504,
  dns_error: 502,
  destination_ip_prohibited: 403,
  destination_unavailable: 503,
  connection_refused: 502,
  connection_terminated: 502,
  connection_timeout: 504,
  http_response_timeout: 504,
  http_response_incomplete: 502,
  http_protocol_error: 502,
  proxy_loop_detected: 502,
  proxy_internal_error: 500,
} as const;

export type UpstreamErrorType = keyof typeof STATUS;

/** The upstream, or the way to it, failed. */
export class UpstreamError extends SchoolgateError {
  readonly type: UpstreamErrorType;
  readonly status: number;

  constructor(type: UpstreamErrorType, publicText: string, cause?: unknown) {
    super(type, type === 'proxy_internal_error' ? 'us' : 'upstream', publicText, { cause });
    this.type = type;
    this.status = STATUS[type];
  }
}

/** The one map from what sockets and the HTTP client throw to an error type; anything unknown is ours. */
export function upstreamError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  switch (code) {
    case 'ECONNREFUSED':
      return new UpstreamError('connection_refused', 'The site refused the connection.', error);
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new UpstreamError('connection_timeout', 'The site did not answer in time.', error);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'ENOENT': // the socket of the front desk
      return new UpstreamError('destination_unavailable', 'The site cannot be reached from here.', error);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return new UpstreamError('connection_terminated', 'The site closed the connection.', error);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new UpstreamError('http_response_timeout', 'The site took too long to answer.', error);
    case 'UND_ERR_BODY_TIMEOUT':
      return new UpstreamError('http_response_incomplete', 'The site stopped in the middle of its answer.', error);
    default:
      if (isNotHttp(error, code)) {
        return new UpstreamError('http_protocol_error', 'The site sent an answer that is not valid HTTP.', error);
      }
      return new UpstreamError('proxy_internal_error', 'Something went wrong in the filter.', error);
  }
}

/** The HTTP client's parse errors carry a name, but mostly no code; Node's carry one. */
function isNotHttp(error: unknown, code: unknown): boolean {
  if ((error as Error | null)?.name === 'HTTPParserError') return true;
  return (
    typeof code === 'string' && /^(?:HPE_|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_CONTENT_LENGTH_MISMATCH$)/.test(code)
  );
}
