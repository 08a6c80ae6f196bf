import { parse } from 'yaml';
import { type RestConfig, restConfigSchema } from '../../adapters/rest/config.js';
import { restModule } from '../../adapters/rest/module.js';
import { validator } from '../../config/validator.js';
import { startScimTarget } from '../support/rest/scim-target.js';
import { describeAdapterContract } from './adapter-contract.js';
import { contractEntities, environmentIn } from './contract-entities.js';
import { deleteEverything } from './contract-fixture.js';

const extension = 'urn:example:params:scim:schemas:extension:contract:2.0:User';

/** A server with attributes of every kind that the suite has; those of `emails` would be the same when value and type are. */
const serverConfig = `version: 1
schemas:
  - id: ${extension}
    name: Contract
    attributes:
      - { name: badge, type: string, caseExact: true }
      - { name: mail, type: string, caseExact: true, multiValued: true }
      - { name: tags, type: string, multiValued: true }
      - { name: age, type: integer }
      - { name: enabled, type: boolean }
      - { name: hired, type: dateTime }
      - { name: photo, type: binary }
      - name: mails
        type: complex
        multiValued: true
        subAttributes:
          - { name: address, type: string }
          - { name: kind, type: string }
          - { name: main, type: boolean }
adapters:
  store: { type: memory }
gateways:
  default:
    address: /scim
    strict: true
    limits: { requestsPerSecond: 0, defaultResults: 50 }
    resources:
      User: { adapter: store, use: [scim], extensions: ["${extension}"] }
      Group: { adapter: store, use: [scim] }
`;

const section = `
type: rest
baseUrl: BASE_URL
auth: { kind: bearer, token: TOKEN }
mediaType: application/scim+json
errors: { message: /detail, code: /scimType }
entities:
  people:
    revision: { header: ETag, pointer: /meta/version }
    created: /meta/created
    modified: /meta/lastModified
    unique: [login]
    fields:
      login: /userName
      name: /displayName
      badge: /${extension}/badge
      mail: /${extension}/mail
      tags: /${extension}/tags
      age: /${extension}/age
      enabled: /${extension}/enabled
      hired: /${extension}/hired
      photo: /${extension}/photo
      mails: { pointer: /${extension}/mails, children: { value: /address, type: /kind, primary: /main } }
      manager: /urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value
      memberOf: { pointer: /groups, item: /value, readOnly: true }
    get: GET /Users/{id}
    search:
      request: GET /Users
      records: /Resources
      filters: { style: scim, match: exact }
      paging: { kind: cursor, start: '', next: /nextCursor, sizeParam: count, maxSize: 1000, total: /totalResults }
    create:
      request: POST /Users
      constants:
        schemas:
          - urn:ietf:params:scim:schemas:core:2.0:User
          - urn:ietf:params:scim:schemas:extension:enterprise:2.0:User
          - ${extension}
    update: { request: "PATCH /Users/{id}", body: scim-patch }
    delete: DELETE /Users/{id}
  groups:
    revision: { header: ETag, pointer: /meta/version }
    created: /meta/created
    modified: /meta/lastModified
    unique: [title]
    fields:
      title: /displayName
      members: { pointer: /members, item: /value }
    get: GET /Groups/{id}
    search:
      request: GET /Groups
      records: /Resources
      filters: { style: scim, match: exact }
      paging: { kind: cursor, start: '', next: /nextCursor, sizeParam: count, maxSize: 1000, total: /totalResults }
    create: { request: POST /Groups, constants: { schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"] } }
    update: { request: "PATCH /Groups/{id}", body: scim-patch }
    delete: DELETE /Groups/{id}
`;

/** SCIM has no second kind of reference to a group's people. */
const left = ['contact', 'owners'];
const entities = contractEntities.map((use) => ({
  ...use,
  fields: use.fields.filter(({ name }) => !left.includes(name)),
}));
const target = await startScimTarget(serverConfig);
const config: unknown = parse(section.replace('BASE_URL', target.baseUrl).replace('TOKEN', target.token));
validator().compile(restConfigSchema)(config);

describeAdapterContract('rest, a SCIM server', {
  entities,
  open: () => restModule.open(config as RestConfig, environmentIn('/', entities)),
  reset: (adapter) => deleteEverything(adapter, entities),
  close: () => target.close(),
});
