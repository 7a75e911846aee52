import { expect, test } from 'vitest';
import { stepMetricsOf } from '../../../src/report/step-metrics.js';

test('step metrics: the CSV of a provider → numbers by step; what is no number is null', () => {
  const csv = '\uFEFFStep,train_loss,valid_loss,note\r\n1,2.5,,"a, b"\r\n2, 1.25 ,1.5\r\n\r\nx,1,1\r\n3,NaN,inf\r\n';
  expect(stepMetricsOf(csv)).toEqual({
    names: ['train_loss', 'valid_loss'],
    steps: [
      { step: 1, values: { train_loss: 2.5, valid_loss: null } },
      { step: 2, values: { train_loss: 1.25, valid_loss: 1.5 } },
      { step: 3, values: { train_loss: null, valid_loss: null } },
    ],
  });
});

test.each(['', 'step,train_loss\n', 'epoch,loss\n1,2\n', '{"error":"not found"}'])('step metrics: %j → none', (csv) => {
  expect(stepMetricsOf(csv)).toBeNull();
});
