import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../src/http/trace-context.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

describe('parseTraceparent', () => {
  it.each([
    [`00-${traceId}-${parentId}-01`, 1],
    [`00-${traceId}-${parentId}-00`, 0],
    [`00-${traceId}-${parentId}-03`, 3],
    ['flags that mean nothing yet', 1, `00-${traceId}-${parentId}-fd`],
    ['a later version', 1, `cc-${traceId}-${parentId}-01`],
    ['a later version with more', 1, `cc-${traceId}-${parentId}-01-what-the-future-will-be-like`],
  ])('reads %s', (name, flags, header = name) => {
    expect(parseTraceparent(header)).toEqual({ traceId, flags });
  });

  it.each([
    undefined,
    '',
    traceId,
    `00-${traceId}-${parentId}`,
    `00-${traceId}-${parentId}-`,
    `00-${traceId}-${parentId}-1`,
    `00-${traceId}-${parentId}-01-`,
    `00-${traceId}-${parentId}-01-more`,
    `00-${traceId}-${parentId}-01.`,
    `cc-${traceId}-${parentId}-01.more`,
    `ff-${traceId}-${parentId}-01`,
    `0-${traceId}-${parentId}-01`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.slice(1)}-${parentId}-011`,
    `00-${traceId}-${parentId}-zz`,
    ` 00-${traceId}-${parentId}-01`,
    `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`,
    `cc-${traceId}-${parentId}-01-${'x'.repeat(600)}`,
  ])('takes %j for none', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('formatTraceparent', () => {
  it('stays in the trace with a parent id of its own', () => {
    const trace = parseTraceparent(`00-${traceId}-${parentId}-01`);
    const [one, other] = [trace, trace].map((context) => context && formatTraceparent(context));
    expect(one).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(one).not.toContain(parentId);
    expect(other).not.toBe(one);
    expect(parseTraceparent(one)).toEqual(trace);
  });
});
