// Records requests in a process of its own. Arguments: data folder, mark, number of requests, what to do at the end.
import { openTransactionRecorder } from '../../dist/src/transactions/recorder.js';
import { RequestRecord } from '../../dist/src/transactions/request-record.js';

const [dataDir, mark, count, end] = process.argv.slice(2);
const recorder = openTransactionRecorder({
  place: { dataDir },
  key: Buffer.alloc(32, 7),
  keepDays: 30,
  recordsValues: () => false,
  log: { warn: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
});
let finished = 0;
const step = () => {
  for (let inStep = 0; inStep < 20; inStep++) {
    recorder.finished(new RequestRecord('corp', `${mark}-${finished}`, 'GET', 'resource', performance.now()), 200);
    finished++;
  }
  // When each was finished, for the one who kills this process.
  if (end === 'killed') process.stdout.write(`${finished} ${Date.now()}\n`);
  if (finished < Number(count)) setTimeout(step, 1);
  else void recorder.close();
};
step();
