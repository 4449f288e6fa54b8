// What every suite shares: medians, and one row of the result.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** `atMost`: the goal is an upper bound; otherwise a lower one. `spread` is what the rounds gave. */
export function figure(id, values, unit, goal, { atMost = true, peer = null, ratio = null } = {}) {
  const value = median(values);
  const compared = ratio ?? value;
  return { id, value, unit, spread: [Math.min(...values), Math.max(...values)], peer, ratio, goal,
    met: atMost ? compared <= goal : compared >= goal };
}
