import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadCreateStore } from './create-store.js';
import type { StoreDefinition } from './store.js';
import type { WorkerRequest } from './worker-client.js';
import { type WriteCall, Writer } from './writer.js';

/** The thread that does all writing of one adapter. */
async function run(port: MessagePort, definition: StoreDefinition): Promise<void> {
  const writer = new Writer(definition, await loadCreateStore(definition.kind), (replies) => port.postMessage(replies));
  const take = (request: WorkerRequest<WriteCall>): void => {
    if ('calls' in request) writer.add(request.calls);
    else if ('cancel' in request) writer.cancel(request.cancel);
    else writer.finish(() => port.close());
  };
  port.on('message', (first: WorkerRequest<WriteCall>) => {
    take(first);
    // Whatever has come in the meantime joins the transaction that begins now.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      take(next.message);
    writer.run();
  });
}

if (parentPort !== null) void run(parentPort, workerData as StoreDefinition);
