/** A span for each call of the API. Without an SDK of OpenTelemetry in the process, it costs nothing. */
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { Operation } from '../../provider/error-table.js';
import type { OnReply } from '../../provider/guarded-fetch.js';
import type { Reply } from '../../provider/reply.js';

/** The header by which the provider finds a request in its logs. */
const REQUEST_ID = 'x-request-id';

/**
 * Does the call in a span that has the operation as its name, and says how the provider replied.
 *
 * @param about `clean` makes the text of a header safe to be shown
 */
export function tracedCall<T>(
  operation: Operation,
  { provider, clean }: { readonly provider: string; readonly clean: (text: string) => string },
  call: (onReply: OnReply) => Promise<Reply<T>>,
): Promise<Reply<T>> {
  const attributes = { 'llm_jobs.provider': provider };
  const options = { kind: SpanKind.CLIENT, attributes };
  return trace.getTracer('temporal-llm-jobs').startActiveSpan(operation, options, async (span) => {
    try {
      const reply = await call(({ status, headers }) => noteReply(span, status, headers.get(REQUEST_ID), clean));
      if (reply.error) noteError(span, reply.error.code ?? String(reply.error.status), reply.error.message);
      return reply;
    } catch (error) {
      noteError(span, error instanceof Error ? error.name : 'unknown');
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * Starts a run that serves many others and lives for days: it is not part of the trace of the one that happened to need
 * it first.
 */
export function inTraceOfItsOwn<T>(start: () => Promise<T>): Promise<T> {
  return context.with(ROOT_CONTEXT, start);
}

function noteReply(span: Span, status: number, requestId: string | null, clean: (text: string) => string): void {
  span.setAttribute('http.response.status_code', status);
  if (requestId !== null) span.setAttribute('llm_jobs.request_id', clean(requestId));
}

/** @param message redacted */
function noteError(span: Span, type: string, message?: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}
