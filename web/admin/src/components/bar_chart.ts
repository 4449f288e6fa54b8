// Bars beside a list, columns by hour or day; the only importer of ECharts.
import { BarChart as Bars, LineChart as Lines } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

import type { Tone } from '../format/state';

use([Bars, Lines, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

export interface Bar {
  value: number;
  tone: Tone;
}
export interface BarChart {
  draw(bars: Bar[]): void;
  dispose(): void;
}

const kVariables: Record<Tone, string> = {
  good: '--accent',
  warn: '--warn',
  bad: '--bad',
  busy: '--ink',
  quiet: '--quiet',
};

export function makeBarChart(element: HTMLElement): BarChart {
  const chart = init(element, undefined, { renderer: 'svg' });
  const watcher = new ResizeObserver(() => chart.resize());
  watcher.observe(element);
  const colour = (tone: Tone) => getComputedStyle(element).getPropertyValue(kVariables[tone]).trim();
  return {
    draw(bars) {
      chart.setOption({
        animation: false,
        grid: { left: 0, right: 0, top: 0, bottom: 0 },
        xAxis: { type: 'value', show: false, max: 'dataMax' },
        yAxis: { type: 'category', show: false, inverse: true, data: bars.map((_, row) => String(row)) },
        series: [
          {
            type: 'bar',
            silent: true,
            barWidth: 12,
            barMinHeight: 2,
            data: bars.map((bar) => ({
              value: bar.value,
              itemStyle: { color: colour(bar.tone), borderRadius: 2 },
            })),
          },
        ],
      });
    },
    dispose() {
      watcher.disconnect();
      chart.dispose();
    },
  };
}

export interface Series {
  name: string;
  values: (number | null)[]; // null: a gap
  tone: Tone;
  line?: boolean; // over the columns, which stand on each other
}
export interface ColumnChart {
  draw(labels: string[], series: Series[], text: (value: number) => string): void;
  onPick(hear: (index: number) => void): void;
  dispose(): void;
}

export function makeColumnChart(element: HTMLElement): ColumnChart {
  const chart = init(element, undefined, { renderer: 'svg' });
  const watcher = new ResizeObserver(() => chart.resize());
  watcher.observe(element);
  const look = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  return {
    draw(labels, series, text) {
      const quiet = look('--quiet');
      chart.setOption(
        {
          animation: false,
          grid: { left: 8, right: 8, top: 32, bottom: 4, containLabel: true },
          legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: quiet, fontSize: 12 } },
          tooltip: {
            trigger: 'axis',
            backgroundColor: look('--paper'),
            borderColor: look('--line-strong'),
            textStyle: { color: look('--ink'), fontSize: 12 },
            valueFormatter: (value: unknown) => (typeof value === 'number' ? text(value) : '–'),
          },
          xAxis: {
            type: 'category',
            data: labels,
            axisTick: { show: false },
            axisLine: { lineStyle: { color: look('--line-strong') } },
            axisLabel: { color: quiet, fontSize: 11 },
          },
          yAxis: {
            type: 'value',
            minInterval: 1,
            splitNumber: 3,
            splitLine: { lineStyle: { color: look('--line') } },
            axisLabel: { color: quiet, fontSize: 11, formatter: text },
          },
          series: series.map((one) => ({
            name: one.name,
            type: one.line === true ? 'line' : 'bar',
            stack: one.line === true ? undefined : 'one',
            symbolSize: 4,
            barMaxWidth: 24,
            data: one.values,
            itemStyle: { color: look(kVariables[one.tone]) },
            lineStyle: { color: look(kVariables[one.tone]), width: 2 },
          })),
        },
        { notMerge: true },
      );
    },
    onPick(hear) {
      chart.on('click', (event) => hear(event.dataIndex));
    },
    dispose() {
      watcher.disconnect();
      chart.dispose();
    },
  };
}
