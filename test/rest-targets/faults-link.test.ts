import { describeRequestFaults } from '../support/rest/fault-suite.js';

describeRequestFaults('link');
