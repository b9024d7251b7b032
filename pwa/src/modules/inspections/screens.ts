// The screens of inspections, each loaded when it is opened; kept out of the first script.

export const start = () => import('./StartScreen.svelte');
export const fill = () => import('./FillScreen.svelte');
export const plans = () => import('./PlansScreen.svelte');
export const templates = () => import('./TemplatesScreen.svelte');
export const editor = () => import('./EditorScreen.svelte');
export const ledger = () => import('./LedgerScreen.svelte');
export const approval = () => import('./Approval.svelte');
export const card = () => import('./Card.svelte');
