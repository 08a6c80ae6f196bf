/** `scimbridge/adapter`: what an adapter is written with. */
export {
  type Adapter,
  type AdapterEnvironment,
  type AdapterLog,
  type AdapterModule,
  type AdapterSetup,
  type BackendRecord,
  type Capabilities,
  type Change,
  type ChildRecord,
  type Condition,
  contractVersion,
  type DescribableOperation,
  type EntityCapabilities,
  type EntityUse,
  type FieldCapability,
  type FieldUse,
  type FieldValue,
  type FilterOp,
  flagField,
  type Inspection,
  type InspectionProblem,
  type LookupQuery,
  type OperationContext,
  type Precision,
  parseFlagField,
  type ReadOptions,
  reservedFields,
  type Scalar,
  type SearchQuery,
  type SearchResult,
  type Sort,
  type TraceEntry,
  type UpdateOptions,
  type UpdateResult,
} from '../backend/adapter.js';
export { AdapterError, type AdapterErrorDetails, type AdapterErrorKind } from '../backend/adapter-error.js';
export { compileChildCondition, compileCondition } from '../backend/condition.js';
export type { Draft, DraftEntry, DraftRequest } from '../backend/draft.js';
export { hasEnded } from '../backend/has-ended.js';
export type { Pace, PaceNotice } from '../backend/pace.js';
export { childrenOf, idOf, isChildRecord, scalarsOf, valuesOf } from '../backend/record.js';
export { applyChanges } from '../backend/records/changes.js';
export { comparisonOf, type EntityPlan, planOf } from '../backend/records/entity.js';
export { RecordStore, type RecordStoreOptions } from '../backend/records/record-store.js';
export { type Comparison, type ComparisonKey, compareKeys, fold, instantKey, keyOf } from '../scim/comparison.js';
export type { ConfigOf } from './config-of.js';
export { type AdapterDefinition, type AuthoredAdapter, defineAdapter } from './define-adapter.js';
