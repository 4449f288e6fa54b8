/** The operators whose mark is drawn; others share one. */
export const kDrawnOperators = ['cn-mobile', 'cn-unicom', 'cn-telecom', 'cn-broadnet', 'cn-sinopec', 'cn-petrochina'];

export function markOf(operatorId: string): string {
  return `/static/marks/${kDrawnOperators.includes(operatorId) ? operatorId : 'other'}.svg`;
}

/** Fetches the marks while there is a network, so that a number typed later, offline, still shows its operator. */
export function preloadMarks(): void {
  // #ifdef H5
  for (const id of [...kDrawnOperators, '']) new Image().src = markOf(id);
  // #endif
}
