/** What runs when there is no gateway.yaml: one gateway, users and groups in a store of its own. Also what `init` starts from. */
export const builtInText = `version: 1

adapters:
  store: { type: sqlite }

gateways:
  default:
    address: /scim
    resources:
      User: { adapter: store, use: [scim] }
      Group: { adapter: store, use: [scim] }
`;
