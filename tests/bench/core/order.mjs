// One event on one order, against xstate's pure transition of a machine made from the same table.
import { createMachine, transition } from 'xstate';
import { figure, median } from '../figures.mjs';
import { orderSteps } from './native.mjs';
import { inTurns, ratioOf, sink } from './rounds.mjs';

/** The machine of a table of { from, on, to, effects }; every state of the table, none left out. */
export function machineOf(steps) {
  const states = {};
  for (const { from, to } of steps) {
    states[from] ??= {};
    states[to] ??= {};
  }
  for (const { from, on, to, effects } of steps) {
    states[from].on ??= {};
    states[from].on[on] = { target: to, actions: effects };
  }
  const actions = Object.fromEntries(steps.flatMap(({ effects }) => effects).map((effect) => [effect, () => {}]));
  return createMachine({ id: 'order', initial: steps[0].from, states }).provide({ actions });
}

// Snapshots and events exist before the first turn, as in a page that keeps its orders resolved.
function peer(steps) {
  const machine = machineOf(steps);
  const asked = steps.map(({ from, on }) => ({ snapshot: machine.resolveState({ value: from }), event: { type: on } }));
  const step = ({ snapshot, event }) => transition(machine, snapshot, event);
  return { name: 'xstate', answers: () => asked.map((one) => step(one)[0].value), turn() {
    for (const one of asked) sink.value = step(one);
    return asked.length;
  } };
}

function ours(core, steps) {
  return { name: 'ours', answers: () => steps.map(({ from, on }) => core.orderNext(from, on)?.state), turn() {
    for (const { from, on } of steps) sink.value = core.orderNext(from, on);
    return steps.length;
  } };
}

// What the table does not list changes nothing.
function refuseTheRest(core, steps) {
  const listed = new Set(steps.map(({ from, on }) => `${from} ${on}`));
  for (const { from } of steps) {
    for (const { on } of steps) {
      if (!listed.has(`${from} ${on}`) && core.orderNext(from, on) !== null) throw new Error(`${from} + ${on} is not listed.`);
    }
  }
}

export async function orderFigures(core) {
  const steps = orderSteps();
  refuseTheRest(core, steps);
  const contenders = [ours(core, steps), peer(steps)];
  for (const { name, answers } of contenders) {
    answers().forEach((state, i) => {
      if (state !== steps[i].to) throw new Error(`${name}: ${steps[i].from} + ${steps[i].on} gave ${state}, not ${steps[i].to}.`);
    });
  }
  const rates = await inTurns(contenders);
  return [figure('core.order_next_wasm', rates.ours, 'per s', 50, { atMost: false, peer: 'xstate 5.33.3 transition()',
    peerValue: median(rates.xstate), ratio: ratioOf(rates.ours, rates.xstate) })];
}
