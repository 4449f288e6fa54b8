// Where each state stands in the drawing, worked out from the table of the core: a column for each step away from the
// first state, rows in the order of the table. Nothing is placed by hand, so a new state finds its place by itself.
import type { OrderTable } from '../api/desk_types';

export interface Place {
  state: string;
  column: number;
  row: number;
}
export interface Way {
  from: string;
  to: string;
  events: string[];
  taken: boolean;
}
export interface StateMap {
  places: Place[];
  ways: Way[];
  columns: number;
  rows: number;
}

export function mapOf(table: OrderTable, taken: { from: string; to: string }[]): StateMap {
  const depth = new Map<string, number>();
  const first = table.states[0]?.state;
  if (first !== undefined) depth.set(first, 0);
  for (let turn = 0; turn < table.states.length; turn += 1) {
    for (const { from, to } of table.steps) {
      const at = depth.get(from);
      if (at !== undefined && at <= turn && !depth.has(to)) depth.set(to, at + 1);
    }
  }
  const filled: number[] = [];
  const places = table.states.map(({ state }) => {
    const column = depth.get(state) ?? 0;
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    return { state, column, row };
  });
  const ways = new Map<string, Way>();
  const gone = new Set(taken.map(({ from, to }) => `${from} ${to}`));
  for (const { from, event, to } of table.steps) {
    const name = `${from} ${to}`;
    const way = ways.get(name) ?? { from, to, events: [], taken: gone.has(name) };
    way.events.push(event);
    ways.set(name, way);
  }
  return { places, ways: [...ways.values()], columns: filled.length, rows: Math.max(0, ...filled) };
}
