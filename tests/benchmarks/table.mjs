// The results as Markdown.

import { figures, processes } from './figures.mjs';
import { ratio, spread } from './statistics.mjs';

export function table(results) {
  const arms = Object.values(results.arms);
  const native = results.arms.native;
  return [
    '### Figures\n',
    'Median of the rounds (least – most). RSS and CPU are those of the runtime alone: the sidecar, or the process of Genkit JS.\n',
    grid(['figure', ...arms.map(({ title }) => title)], rowsOf(arms)),
    ...(native ? [
      '### Against native JS\n',
      'Median of the ratios that each round has (least – most). Less is better, but for a rate.\n',
      grid(['figure', ...arms.filter((arm) => arm !== native).map(({ title }) => title)], ratiosOf(arms.filter((arm) => arm !== native), native)),
    ] : []),
    ...(Object.keys(results.loads).length > 0 ? [
      '### Where the CPU time goes\n',
      'µs of CPU a call or chunk: runtime + application + load generator, and how much of one core the load generator had. Where that is near 100 %, the load generator sets the rate.\n',
      grid(['load', ...arms.map(({ title }) => title)], cpuOf(results.loads, arms)),
    ] : []),
  ].join('\n');
}

function grid(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')}\n`;
}

function rowsOf(arms) {
  const rows = Object.entries(figures)
    .map(([key, { title, unit }]) => [`${title}, ${unit}`, ...arms.map(({ samples }) => ranged(spread(samples[key]), number))]);
  rows.push(['File, MB', ...arms.map(({ fileBytes }) => (fileBytes ? number(fileBytes / 1e6) : '–'))]);
  return rows.filter(([, ...cells]) => cells.some((cell) => cell !== '–'));
}

function ratiosOf(arms, native) {
  return Object.entries(figures)
    .filter(([, { isDifference }]) => !isDifference)
    .map(([key, { title, better }]) => [
      `${title}${better === 'more' ? ' (more is better)' : ''}`,
      ...arms.map(({ samples }) => ranged(ratio(samples[key], native.samples[key]), (value) => value.toFixed(2), '×')),
    ])
    .filter(([, ...cells]) => cells.some((cell) => cell !== '–'));
}

function cpuOf(loads, arms) {
  return Object.entries(loads).map(([name, title]) => [
    title,
    ...arms.map(({ samples }) => {
      const parts = Object.keys(processes).map((role) => spread(samples[`${name}.cpu.${role}`])?.median);
      const share = spread(samples[`${name}.share.generator`])?.median;
      return `${parts.map((part) => (part === undefined ? '–' : number(part))).join(' + ')}; ${Math.round(share * 100)} %`;
    }),
  ]);
}

function ranged(of, format, unit = '') {
  if (of === undefined) return '–';
  const median = `${format(of.median)}${unit}`;
  return of.min === of.max ? median : `${median} (${format(of.min)} – ${format(of.max)})`;
}

/** Three digits that count, with thousands separated. */
export function number(value) {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { minimumFractionDigits: digits > 1 && Math.abs(value) < 10 ? 1 : 0, maximumFractionDigits: Math.min(digits, 2) });
}
