// The results as an SVG picture: one panel a figure, one bar an arm, with the range of the rounds as a line.

import { figures } from './figures.mjs';
import { spread } from './statistics.mjs';
import { number } from './table.mjs';

const panels = [
  'echo-1.p50', 'echo-32.rate', 'echo-32.cpu.runtime',
  'first-chunk.first', 'stream-4.rate', 'stream-4.cpu.runtime',
  'register', 'large-32.rate', 'large-32.cpu.runtime',
  'rss.idle', 'rss.echo-32', 'blob.peak',
];
const colours = { sidecar: ['#1a73e8', '#0b8043', '#8430ce', '#00838f'], native: ['#e8710a'], bridge: ['#f2b66d'], bare: ['#9aa0a6'], direct: ['#5f6368'] };
const columns = 3;
const layout = { width: 340, gap: 24, margin: 20, labels: 96, values: 62, head: 48, bar: 13, row: 19 };

export function plot(results) {
  const arms = Object.values(results.arms);
  const colour = colourOf(arms);
  const shown = panels.filter((key) => arms.some(({ samples }) => spread(samples[key])));
  const height = layout.head + arms.length * layout.row;
  const rows = Math.ceil(shown.length / columns);
  const total = {
    width: 2 * layout.margin + columns * layout.width + (columns - 1) * layout.gap,
    height: 2 * layout.margin + rows * height + (rows - 1) * layout.gap,
  };
  const body = shown.map((key, index) => {
    const x = layout.margin + (index % columns) * (layout.width + layout.gap);
    const y = layout.margin + Math.floor(index / columns) * (height + layout.gap);
    return `<g transform="translate(${x} ${y})">\n${panel(key, arms, colour)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total.width}" height="${total.height}" viewBox="0 0 ${total.width} ${total.height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
${body.join('\n')}
</svg>
`;
}

function panel(key, arms, colour) {
  const { title, unit, better } = figures[key];
  const [load, what] = title.includes(': ') ? title.split(': ') : ['', title];
  const room = layout.width - layout.labels - layout.values;
  const spreads = arms.map(({ samples }) => spread(samples[key]));
  const most = Math.max(...spreads.map((of) => of?.max ?? 0));
  const scale = (value) => (Math.max(0, value) / most) * room;
  const bars = arms.map((arm, index) => {
    const of = spreads[index];
    const y = layout.head + index * layout.row;
    if (!of) return '';
    const label = `<text x="${layout.labels - 6}" y="${y + 10}" text-anchor="end" fill="#202124">${escaped(arm.title)}</text>`;
    const [begin, end, middle] = [scale(of.min), scale(of.max), y + layout.bar / 2].map((value) => round(value));
    return `${label}<rect x="${layout.labels}" y="${y}" width="${round(scale(of.median))}" height="${layout.bar}" fill="${colour.get(arm)}"/>`
      + `<path d="M${layout.labels + begin} ${middle}H${layout.labels + end}" stroke="#202124" stroke-width="1.5"/>`
      + `<text x="${round(layout.labels + Math.max(end, scale(of.median)) + 5)}" y="${y + 10}" fill="#202124">${number(of.median)}</text>`;
  });
  return [
    `<text y="12" font-weight="bold" fill="#202124">${escaped(`${what.replace(/^[a-z](?=[a-z])/, (first) => first.toUpperCase())}, ${unit}`)}</text>`,
    `<text y="27" fill="#5f6368">${escaped([load, `${better} is better`].filter(Boolean).join('; '))}</text>`,
    ...bars,
  ].join('\n');
}

function colourOf(arms) {
  const used = {};
  return new Map(arms.map((arm) => {
    const of = colours[arm.kind];
    const index = (used[arm.kind] = (used[arm.kind] ?? -1) + 1);
    return [arm, of[index % of.length]];
  }));
}

const round = (value) => Math.round(value * 10) / 10;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
