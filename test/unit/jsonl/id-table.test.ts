/** The table of ids at the edges of its size. What it finds is tested with the split and the results. */
import { describe, expect, it } from 'vitest';
import { IdTable, TooManyIdsError } from '../../../src/jsonl/id-table.js';

describe('more bytes of ids than the table can hold', () => {
  it('the last id that fits is kept; the next one is refused with both numbers', () => {
    const table = new IdTable(10_000);
    for (let index = 0; index < 1_000; index++) table.push(`id-${String(index).padStart(7, '0')}`);
    expect(table.size).toBe(1_000);
    expect(() => table.push('one more')).toThrow(TooManyIdsError);
    expect(() => table.push('one more')).toThrow('first 1,000 requests have 10,000 bytes');
  });

  it('a full table still finds what it has, and nothing else', () => {
    const table = new IdTable(30);
    const ids = ['first', 'second', 'third'];
    for (const id of ids) table.add(id);
    expect(ids.map((id) => table.find(id))).toEqual([0, 1, 2]);
    expect(table.find('x'.repeat(200))).toBe(-1);
    expect(() => table.add('x'.repeat(15))).toThrow(TooManyIdsError);
    expect(ids.map((_, index) => table.at(index))).toEqual(ids);
  });
});
