import { request } from '../transport';
import type { DifferencePage, Resolved, Run, RunDetail, RunPage } from './types';

const pageQuery = (fields: Record<string, string>) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== '') query.set(name, value);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
};

export const listRuns = (cursor: string) =>
  request<RunPage>('GET', `/api/admin/reconcile/runs${pageQuery({ cursor })}`);

export const askRun = (party: string, day: string) =>
  request<Run>('POST', '/api/admin/reconcile/runs', { body: { party, day } });

export const getRun = (runId: string) =>
  request<RunDetail>('GET', `/api/admin/reconcile/runs/${encodeURIComponent(runId)}`);

// state "" means both.
export const listDifferences = (runId: string, state: string, cursor: string) =>
  request<DifferencePage>(
    'GET',
    `/api/admin/reconcile/differences${pageQuery({ run_id: runId, state, cursor })}`,
  );

export const resolveDifference = (id: string, resolution: string, reason: string) =>
  request<Resolved>('POST', `/api/admin/reconcile/differences/${encodeURIComponent(id)}/resolve`, {
    body: { resolution, reason },
  });
