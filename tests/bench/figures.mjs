// What every suite shares: medians, and one row of the result.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Enough digits to compare two runs, none that only a quieter machine could tell apart.
function rounded(value) {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

/**
 * `atMost`: the goal is an upper bound; otherwise a lower one. `spread` is what the rounds gave. `peer` names what `ratio`
 * is against and `peerValue` is its own figure; the goal is for the ratio when `goalForRatio` is set. No goal (null): told,
 * never judged.
 */
export function figure(id, values, unit, goal,
  { atMost = true, peer = null, peerValue = null, ratio = null, goalForRatio = ratio !== null } = {}) {
  const value = rounded(median(values));
  // A peer that did nothing in its round is no peer: such a ratio is no number, and meets nothing.
  const isKnown = ratio === null || Number.isFinite(ratio);
  const compared = goalForRatio ? ratio : value;
  return { id, value, unit, spread: [rounded(Math.min(...values)), rounded(Math.max(...values))], peer,
    peer_value: peerValue === null ? null : rounded(peerValue), ratio: ratio === null || !isKnown ? null : rounded(ratio), goal,
    goal_for: goalForRatio ? 'ratio' : 'value', at_most: atMost, met: goal === null || ((isKnown || !goalForRatio) && (atMost ? compared <= goal : compared >= goal)) };
}
