/** Roots and URIs as they are written on Windows; only their text is judged, on any system. */
import { describe, expect, test } from 'vitest';
import { Storage } from '../../../src/storage/index.js';
import { storageRoots } from '../../../src/storage/roots.js';
import { refusal } from '../../support/storage.js';

const rootsOf = (list: string) => storageRoots(list, '/w');

describe('a root with a drive letter', () => {
  test.each([
    ['C:/data/', 'file:///C:/data/'],
    ['c:\\llm jobs\\out', 'file:///C:/llm%20jobs/out'],
    ['D:\\', 'file:///D:/'],
    ['s3://bucket/x/', 's3://bucket/x/'],
    ['file:///C:/data/', 'file:///C:/data/'],
    ['data/out', 'file:///w/data/out'],
  ])('%s → %s', (path, uri) => {
    expect(rootsOf(path)).toEqual([uri]);
  });

  test('as a path, in a list → its folder', () => {
    expect(new Storage({ roots: rootsOf('C:/data/, E:/more') }).roots).toEqual([
      'file:///C:/data/',
      'file:///E:/more/',
    ]);
  });
});

describe('a URI below file:///C:/data/', () => {
  const storage = new Storage({ roots: ['file:///C:/data/'] });

  test.each(['file:///C:/data/', 'file:///c:/data/', 'file:///c%3A/data', 'file:///C%3a/data/', 'FILE:///c:/data/'])(
    '%s → below the root, in one spelling',
    (base) => {
      expect(storage.resolve(base, 'r.jsonl')).toBe('file:///C:/data/r.jsonl');
    },
  );

  test.each([
    ['file:///D:/data/', 'OutsideRoots'],
    ['file:///C:/Data/', 'OutsideRoots'],
    ['file:///C:/', 'OutsideRoots'],
    ['file:///c%3A/data/%2e%2e/', 'BadUri'],
    ['file:///C:/data/../', 'BadUri'],
    ['file://server/share/', 'BadUri'],
  ])('%s → %s', async (base, code) => {
    expect(await refusal(async () => storage.resolve(base, 'r.jsonl'))).toBe(code);
  });

  test('a root in lower case → the same', () => {
    expect(new Storage({ roots: ['file:///c:/data'] }).resolve('file:///C:/data/', 'r')).toBe('file:///C:/data/r');
  });
});
