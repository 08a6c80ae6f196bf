export { awkwardTexts, contractEntities, environmentIn } from '../../src/testing/contract-entities.js';
