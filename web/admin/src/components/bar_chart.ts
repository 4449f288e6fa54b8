// Horizontal bars, one per row of the list beside them; the only importer of ECharts.
import { BarChart as Bars } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

import type { Tone } from '../format/state';

use([Bars, GridComponent, SVGRenderer]);

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
