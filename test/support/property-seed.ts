import fc from 'fast-check';

/**
 * Generated cases are the same in every run, so that a run that fails can be repeated and one that is green says the same
 * everywhere. PROPERTY_SEED (a number, or "random") looks elsewhere; PROPERTY_RUNS multiplies the number of cases.
 */
const wanted = process.env.PROPERTY_SEED ?? '7644';
fc.configureGlobal({ seed: wanted === 'random' ? Date.now() : Number(wanted) });
