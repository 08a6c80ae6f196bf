/** How many examples a property is tried on: few by default, more with PROPERTY_RUNS=20 (times as many). */
export function propertyRuns(usual: number): number {
  return Math.max(1, Math.round(usual * Number(process.env.PROPERTY_RUNS ?? 1)));
}
