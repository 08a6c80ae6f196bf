/** What requests are called in the record, the metrics and the log. */
export type OperationName =
  | 'create'
  | 'read'
  | 'replace'
  | 'patch'
  | 'delete'
  | 'search'
  | 'bulk'
  | 'discovery'
  | 'token'
  | 'none';

const onResource: Readonly<Record<string, OperationName>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'replace',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** @param route the kind of route */
export function operationOf({ method, route }: { readonly method: string; readonly route: string }): OperationName {
  switch (route) {
    case 'resource':
    case 'me':
      return onResource[method] ?? 'none';
    case 'collection':
      return method === 'POST' ? 'create' : method === 'GET' || method === 'HEAD' ? 'search' : 'none';
    case 'root':
    case 'rootSearch':
    case 'collectionSearch':
      return 'search';
    case 'bulk':
      return 'bulk';
    case 'serviceProviderConfig':
    case 'resourceTypes':
    case 'schemas':
      return 'discovery';
    case 'token':
      return 'token';
    default:
      return 'none';
  }
}
