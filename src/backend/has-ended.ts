import type { OperationContext } from './adapter.js';

/** Whether the request has ended. Does not make its signal where the context knows without: a quick read would feel it. */
export function hasEnded(context: Pick<OperationContext, 'signal' | 'hasEnded'>): boolean {
  return context.hasEnded ?? context.signal.aborted;
}
