/** Growth against the length of a job and against the number of jobs, as an SVG. */
import * as echarts from 'echarts';
import { dayCost } from './day.js';
import type { Measurements } from './measurements.js';
import { WAYS, type Way } from './ways.js';

const WIDTH = 1_000;
const HEIGHT = 760;
/** Readable on a light and on a dark page. */
const COLOURS: Readonly<Record<Way, string>> = {
  'timer loop': '#d62728',
  'look a job': '#ff9f1c',
  watch: '#1f77b4',
  'watch and webhooks': '#2a9d50',
};
const NUMBERS = [1, 10, 100, 1_000, 5_000];

type Points = readonly (readonly [number, number])[];

interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: 'log' | 'value';
  readonly points: (measurements: Measurements, way: Way) => Points;
  /** The lines of the ways without a watch are computed and dashed. */
  readonly isComputed: boolean;
}

const PANELS: readonly Panel[] = [
  {
    title: 'Events in the history of a job',
    x: 'hours',
    y: 'log',
    points: ({ exact }, way) => ofOneJob(exact, way).map(({ hours, run }) => [hours, run.events] as const),
    isComputed: false,
  },
  {
    title: 'Actions of a job, without the watch it shares',
    x: 'hours',
    y: 'log',
    points: ({ exact }, way) => ofOneJob(exact, way).map(({ hours, run }) => [hours, run.actions] as const),
    isComputed: false,
  },
  {
    title: 'API calls of N jobs in a day (dashed: computed)',
    x: 'jobs',
    y: 'log',
    points: (measurements, way) =>
      NUMBERS.flatMap((jobs) => {
        const cost = dayCost(measurements, way, jobs);
        return cost ? [[jobs, cost.calls] as const] : [];
      }),
    isComputed: true,
  },
  {
    title: 'Memory of the worker while N jobs wait, MB',
    x: 'jobs',
    y: 'value',
    points: ({ manyJobs }, way) =>
      manyJobs
        .filter((row) => row.way === way)
        .map(({ jobs, workerBytes }) => [jobs, Math.round(workerBytes.whileWaiting / 1_024 ** 2)] as const),
    isComputed: false,
  },
];

const ofOneJob = (exact: Measurements['exact'], way: Way) => exact.filter((row) => row.way === way && row.jobs === 1);

export function plot(measurements: Measurements): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  const axes = PANELS.map((panel, index) => ({ ...panel, gridIndex: index }));
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    legend: { data: [...WAYS], top: 8, itemGap: 30 },
    title: axes.map(({ title }, index) => ({
      text: title,
      textStyle: { fontSize: 14 },
      left: index % 2 === 0 ? 60 : WIDTH / 2 + 60,
      top: index < 2 ? 44 : HEIGHT / 2 + 34,
    })),
    grid: axes.map((_, index) => ({
      left: index % 2 === 0 ? 90 : WIDTH / 2 + 90,
      top: index < 2 ? 84 : HEIGHT / 2 + 74,
      width: WIDTH / 2 - 130,
      height: HEIGHT / 2 - 130,
    })),
    xAxis: axes.map(({ x: name, gridIndex }) => ({
      type: 'log' as const,
      name,
      nameLocation: 'middle' as const,
      nameGap: 24,
      gridIndex,
    })),
    yAxis: axes.map(({ y: type, gridIndex }) => ({ type, gridIndex })),
    series: axes.flatMap(({ points, isComputed, gridIndex }) =>
      WAYS.map((way) => ({
        name: way,
        type: 'line' as const,
        xAxisIndex: gridIndex,
        yAxisIndex: gridIndex,
        data: [...points(measurements, way)].toSorted(([a], [b]) => a - b).map(([x, y]) => [x, y]),
        itemStyle: { color: COLOURS[way] },
        lineStyle: {
          color: COLOURS[way],
          type: isComputed && !way.startsWith('watch') ? ('dashed' as const) : ('solid' as const),
        },
      })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
