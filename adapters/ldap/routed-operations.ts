import type {
  Attribute,
  AttributeValue,
  Modification,
  Operations,
  Rename,
  RequestControl,
  SearchAnswer,
  SearchRequest,
  WireContext,
  WriteAnswer,
} from './directory.js';

/** Operations that are carried out by others, which `route` chooses. */
export abstract class RoutedOperations implements Operations {
  /** @param isRead it may be asked twice without harm */
  protected abstract route<T>(
    isRead: boolean,
    context: WireContext,
    ask: (chosen: Operations) => Promise<T>,
  ): Promise<T>;

  search(request: SearchRequest, context: WireContext): Promise<SearchAnswer> {
    return this.route(true, context, (chosen) => chosen.search(request, context));
  }

  compare(dn: string, attribute: string, value: AttributeValue, context: WireContext): Promise<boolean> {
    return this.route(true, context, (chosen) => chosen.compare(dn, attribute, value, context));
  }

  add(
    dn: string,
    attributes: readonly Attribute[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.route(false, context, (chosen) => chosen.add(dn, attributes, controls, context));
  }

  modify(
    dn: string,
    modifications: readonly Modification[],
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.route(false, context, (chosen) => chosen.modify(dn, modifications, controls, context));
  }

  modifyDn(
    dn: string,
    rename: Rename,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<WriteAnswer> {
    return this.route(false, context, (chosen) => chosen.modifyDn(dn, rename, controls, context));
  }

  delete(dn: string, controls: readonly RequestControl[], context: WireContext): Promise<WriteAnswer> {
    return this.route(false, context, (chosen) => chosen.delete(dn, controls, context));
  }

  passwordModify(dn: string, newPassword: string, context: WireContext): Promise<void> {
    return this.route(false, context, (chosen) => chosen.passwordModify(dn, newPassword, context));
  }

  extended(
    oid: string,
    value: Uint8Array | undefined,
    controls: readonly RequestControl[],
    context: WireContext,
  ): Promise<Uint8Array | undefined> {
    return this.route(false, context, (chosen) => chosen.extended(oid, value, controls, context));
  }
}
