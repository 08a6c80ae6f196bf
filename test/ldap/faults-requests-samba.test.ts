import { describeRequestFaults } from '../support/ldap/request-faults.js';

await describeRequestFaults('samba');
