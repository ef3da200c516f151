export function quantile(values, q) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  return sorted[below] + (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]) * (at - below);
}

/** Median and range of what the rounds measured; undefined if they measured nothing. */
export function spread(values) {
  const measured = (values ?? []).filter((value) => value !== undefined && value !== null);
  return measured.length === 0 ? undefined : { median: quantile(measured, 0.5), min: Math.min(...measured), max: Math.max(...measured) };
}

/** Spread of the ratio to what another arm measured in the same round, which leaves out what both have of the machine's moods. */
export function ratio(values, others) {
  const both = (values ?? []).map((value, round) => (value !== undefined && value !== null && others?.[round] ? value / others[round] : undefined));
  return spread(both);
}
