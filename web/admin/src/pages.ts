// The pages of the console, in the order of the menu. One row is a page: its address, who may open it, and its place in
// the menu; `nav.<name>` is its word. A page without a group opens from another one.
import type { RouteRecordRaw } from 'vue-router';

export const kGroups = ['day', 'goods', 'money', 'customers', 'shop'] as const;
export type Group = (typeof kGroups)[number];

export interface Page {
  name: string;
  path: string;
  permission?: string;
  group?: Group;
  view: () => Promise<unknown>;
}

export const kPages: readonly Page[] = [
  { name: 'home', path: '', permission: 'overview.read', group: 'day', view: () => import('./views/Home.vue') },
  { name: 'work', path: 'queue', permission: 'orders.read', group: 'day', view: () => import('./views/Work.vue') },
  { name: 'orders', path: 'orders', permission: 'orders.read', group: 'day', view: () => import('./views/Orders.vue') },
  { name: 'exchanges', path: 'exchanges', permission: 'orders.read', group: 'day', view: () => import('./views/Exchanges.vue') },
  { name: 'jobs', path: 'jobs', permission: 'jobs.read', group: 'day', view: () => import('./views/Jobs.vue') },
  { name: 'products', path: 'products', permission: 'catalog.read', group: 'goods', view: () => import('./views/Products.vue') },
  {
    name: 'price-rules',
    path: 'price-rules',
    permission: 'catalog.read',
    group: 'goods',
    view: () => import('./views/PriceRules.vue'),
  },
  { name: 'pins', path: 'pins', permission: 'catalog.read', group: 'goods', view: () => import('./views/Pins.vue') },
  { name: 'suppliers', path: 'suppliers', permission: 'catalog.read', group: 'goods', view: () => import('./views/Suppliers.vue') },
  {
    name: 'offers',
    path: 'offers',
    permission: 'marketing.read',
    group: 'goods',
    view: () => import('./views/Offers.vue'),
  },
  {
    name: 'stations',
    path: 'stations',
    permission: 'stations.read',
    group: 'goods',
    view: () => import('./views/Stations.vue'),
  },
  { name: 'refunds', path: 'refunds', permission: 'orders.read', group: 'money', view: () => import('./views/Refunds.vue') },
  { name: 'books', path: 'books', permission: 'ledger.read', group: 'money', view: () => import('./views/Books.vue') },
  {
    name: 'reconcile',
    path: 'reconcile',
    permission: 'reconcile.read',
    group: 'money',
    view: () => import('./views/Reconcile.vue'),
  },
  {
    name: 'reconcile-run',
    path: 'reconcile/:run',
    permission: 'reconcile.read',
    view: () => import('./views/ReconcileRun.vue'),
  },
  {
    name: 'customers',
    path: 'customers',
    permission: 'customers.read',
    group: 'customers',
    view: () => import('./views/Customers.vue'),
  },
  {
    name: 'blacklist',
    path: 'blacklist',
    permission: 'risk.read',
    group: 'customers',
    view: () => import('./views/Blacklist.vue'),
  },
  { name: 'visits', path: 'visits', permission: 'risk.read', group: 'customers', view: () => import('./views/Visits.vue') },
  { name: 'content', path: 'content', permission: 'content.read', group: 'shop', view: () => import('./views/Content.vue') },
  {
    name: 'decoration',
    path: 'decoration',
    permission: 'content.read',
    group: 'shop',
    view: () => import('./views/Decoration.vue'),
  },
  { name: 'staff', path: 'staff', permission: 'staff.read', group: 'shop', view: () => import('./views/Staff.vue') },
  { name: 'settings', path: 'settings', permission: 'settings.read', group: 'shop', view: () => import('./views/Settings.vue') },
  {
    name: 'sign-ins',
    path: 'sign-ins',
    permission: 'staff.read',
    group: 'shop',
    view: () => import('./views/SignIns.vue'),
  },
  { name: 'records', path: 'records', permission: 'audit.read', group: 'shop', view: () => import('./views/Records.vue') },
  { name: 'setup', path: 'setup', permission: 'keys.read', group: 'shop', view: () => import('./views/Setup.vue') },
  { name: 'me', path: 'me', group: 'shop', view: () => import('./views/Me.vue') },
  { name: 'forbidden', path: 'forbidden', view: () => import('./views/Forbidden.vue') },
];

export function routesOf(pages: readonly Page[]): RouteRecordRaw[] {
  return pages.map(({ name, path, permission, view }) => ({
    name,
    path,
    component: view as RouteRecordRaw['component'] & object,
    meta: permission === undefined ? {} : { permission },
  }));
}
