import { describeOutage } from '../support/ldap/outage-suite.js';

await describeOutage('samba');
